import type { Agent } from '../agent.ts'
import { openSiteBundles } from '../bundles/site-bundles.ts'
import type { AgentParts } from '../parts.ts'
import { auditPage } from './audit-page.ts'
import { confirmExports } from './confirm-exports.ts'
import { exportSite } from './export-site.ts'
import { pauseHere, resumeHere } from './pause.ts'
import { readLogs } from './read-logs.ts'

const somebody = 'somebody at the site'

/** What people at the site hand in and take out. */
export interface Site
  extends Pick<
    Agent,
    'importBundle' | 'exportTo' | 'confirmExports' | 'command' | 'pause' | 'resume' | 'audit' | 'verifyAudit' | 'logs'
  > {
  /** Applies what was imported before the process ended. Call it once, before the engine starts. */
  goOn(): Promise<void>
}

export function openSite(parts: AgentParts): Site {
  const { audit, setup, clock, spool, commands } = parts
  const { id } = setup.deployment
  const bundles = openSiteBundles(parts)
  /** One at a time: each export says of itself what it carried. */
  let exporting: Promise<unknown> = Promise.resolve()
  return {
    async goOn() {
      try {
        for (const { bundle } of await bundles.resume()) parts.log.info('went on with an import', { bundle })
        parts.problems.clear('IMPORT_UNFINISHED')
      } catch (error) {
        // What runs must not wait for it; giving the bundle again or the next start goes on.
        parts.problems.set('IMPORT_UNFINISHED', error instanceof Error ? error.message : String(error))
      }
    },
    async importBundle(file, { allowOlder, by, onProgress } = {}) {
      const { status: done, imported } = await bundles.import(file, {
        by: by ?? somebody,
        ...(allowOlder !== undefined && { allowOlder }),
        ...(onProgress && { onProgress }),
      })
      parts.problems.clear('IMPORT_UNFINISHED')
      const { bundle, releases, generation, commands: taken, refusedCommands } = imported
      return { status: done, bundle, releases, generation, commands: taken, refusedCommands }
    },
    exportTo(file, by) {
      const mine = exporting.then(() => exportSite(parts, file, by ?? somebody))
      exporting = mine.catch(() => undefined)
      return mine
    },
    confirmExports: async (through, by) => confirmExports(parts, through, by),
    async command(envelope, by) {
      const accepted = await commands.accept(envelope)
      audit.append(id, [
        { at: clock.now(), type: 'command.given', actor: by ?? somebody, message: `Gave the command ${accepted.id}` },
      ])
      return accepted
    },
    pause: async (by) => pauseHere(parts, by),
    resume: async (by) => resumeHere(parts, by),
    audit: async (after, limit) => auditPage(audit, id, after, limit),
    verifyAudit: async () => audit.verify(id),
    logs: async (limit) => readLogs(spool, limit),
  }
}
