import type { importedExport } from '@landfall/contract'
import type { Clock, Random } from '@landfall/engine'
import { readExport, type VerifiedExport, type VerifyExportOptions, verifyExport } from '@landfall/release'
import { LandfallError } from '@landfall/stack'
import type { z } from 'zod'
import type { CommandHandover } from '../agents/command-handover.ts'
import { enrol } from '../agents/enrol.ts'
import { acceptReport } from '../agents/report/accept-report.ts'
import { noteTrouble } from '../agents/trouble.ts'
import type { Database } from '../store/database.ts'
import type { Intake } from '../telemetry/intake.ts'
import { checkCheckpoints } from './check-checkpoints.ts'
import { type ExportSender, findAgent } from './find-agent.ts'
import { finishExport } from './finish-export.ts'
import { lockAgent, standing } from './lock-agent.ts'
import { type ExportDocuments, readDocuments } from './read-documents.ts'
import { takeTelemetry } from './take-telemetry.ts'

export type ImportedExport = z.output<typeof importedExport>

export interface ExportDeps {
  db: Database
  telemetry: Pick<Intake, 'take'>
  commands: CommandHandover
  clock: Clock
  random: Random
}

const signals = ['logs', 'metrics', 'traces'] as const

/**
 * Takes in what a site hands back. Proved whole first, changing nothing; then its documents in one transaction, all or none; then its
 * telemetry; then its number, which says that it was taken. Killed in between, the same file goes on: a report that is known changes
 * nothing, a telemetry record that is stored is left. `nudge`: rollouts that wait for it.
 *
 * @throws LandfallError those of `findAgent`, `verifyExport`, `readDocuments`, `enrol`, `acceptReport` and `takeTelemetry`;
 *   `E_EXPORT_REPLAYED` for one that is older than what was taken
 */
export async function takeExport(
  deps: ExportDeps,
  of: { project: string; file: string; actor: string },
): Promise<{ imported: ImportedExport; nudge: string[] }> {
  const { project, file } = of
  const sender = await findAgent(deps.db, project, file)
  const expected = { agent: sender.key, project, deployment: sender.deployment, lastSequence: 0 }
  const proved = await verifyExport(file, expected)
  const documents = await readDocuments(file, expected)
  const taken = await takeDocuments(deps, project, { sender, proved, documents }).catch(async (error: unknown) => {
    // A record that does not hold is told to people; that it was found must not go with what was refused.
    if (LandfallError.is(error, 'E_AUDIT_BROKEN')) await tellOf(deps, sender.deployment, error)
    throw error
  })
  const imported: ImportedExport = {
    deployment: sender.deployment,
    name: sender.name,
    sequence: proved.manifest.sequence,
    createdAt: proved.manifest.createdAt,
    status: taken.already ? 'already' : 'imported',
    enrolled: taken.enrolled,
    reports: taken.already ? 0 : documents.reports.length,
    receipts: proved.receipts.map(({ bundle, importedAt, releases }) => ({
      bundle,
      importedAt,
      releases: releases.map((release) => release.version),
    })),
    commands: newestOf(documents),
    telemetry: { logs: 0, metrics: 0, traces: 0 },
  }
  if (taken.already) return { imported, nudge: [] }
  imported.telemetry = await allTelemetry(deps, file, expected)
  await finishExport(deps.db, {
    project,
    sender,
    proved,
    checkpoints: documents.checkpoints,
    actor: of.actor,
    at: deps.clock.now(),
  })
  return { imported, nudge: taken.nudge }
}

/** Enrolment, reports and results: what is believed or refused as a whole. */
async function takeDocuments(
  deps: ExportDeps,
  project: string,
  given: { sender: ExportSender; proved: VerifiedExport; documents: ExportDocuments },
): Promise<{ already: boolean; enrolled: boolean; nudge: string[] }> {
  const { sender, proved, documents } = given
  const { deployment } = sender
  return deps.db.transaction().execute(async (trx) => {
    const at = deps.clock.now()
    const enrolled = sender.enrolment
      ? (await enrol(trx, sender.enrolment, { at, via: 'export', project })).fresh
      : false
    const agent = await lockAgent(trx, deployment, sender.key.id)
    const stand = standing(agent, proved)
    if (stand === 'already') return { already: true, enrolled: false, nudge: [] }
    if (stand === 'older') throw replayed(proved.manifest.sequence, agent.export_number)
    const nudge = new Set<string>()
    for (const report of documents.reports) {
      const accepted = await acceptReport(trx, { deployment, report, via: 'export', commands: deps.commands, at })
      if (accepted.nudge !== null) nudge.add(accepted.nudge)
    }
    if (documents.updates.length > 0) {
      await deps.commands.acceptUpdates(trx, { deployment, updates: documents.updates, at })
    }
    await checkCheckpoints(trx, deployment, sender.key.publicKey, documents.checkpoints)
    return { already: false, enrolled, nudge: [...nudge] }
  })
}

async function allTelemetry(deps: ExportDeps, file: string, expected: VerifyExportOptions) {
  const counts = { logs: 0, metrics: 0, traces: 0 }
  const { project, deployment } = expected
  for await (const step of readExport(file, expected)) {
    const signal = signals.find((one) => step.file.kind === `telemetry-${one}`)
    if (signal) counts[signal] += await takeTelemetry(deps, step.content, { signal, project, deployment })
    else for await (const _ of step.content);
  }
  return counts
}

async function tellOf({ db, clock }: ExportDeps, deployment: string, error: LandfallError): Promise<void> {
  const { code, message } = error
  await db.transaction().execute((trx) => noteTrouble(trx, { deployment, code, message, at: clock.now() }))
}

/** How each command stands, by the newest word of it. */
function newestOf({ reports, updates }: ExportDocuments): ImportedExport['commands'] {
  const all = [...reports.flatMap((report) => report.commands), ...updates]
  return [...new Map(all.map(({ id, status }) => [id, { id, status }])).values()]
}

function replayed(sequence: number, last: number): LandfallError {
  return new LandfallError({
    code: 'E_EXPORT_REPLAYED',
    message: `The export has number ${sequence}; number ${last} was taken already.`,
    hint: 'It is older than what was taken in: a newer one holds all that this one does. Take the newest export of the site.',
  })
}
