import { rm } from 'node:fs/promises'
import type { CommandUpdate } from '@landfall/contract'
import { createExport } from '@landfall/release'
import { importedBundles } from '../bundles/imported.ts'
import { enrolmentDocument } from '../identity/enrol.ts'
import { enrolmentOf } from '../identity/setup.ts'
import type { AgentParts } from '../parts.ts'
import type { AuditCheckpoint } from './checkpoint.ts'
import { checkpointOf } from './checkpoint.ts'
import { exportsOf, nextSequence, recordExport } from './export-records.ts'
import { writeTelemetry } from './write-telemetry.ts'

/** Reports of one export: beyond it the rest of the audit chain goes out with the next. */
const maxReports = 50

/**
 * Writes what the site hands back, signed by the agent's key: reports with the audit chain and the commands' results, receipts,
 * telemetry, and the enrolment until somebody is known to have taken it. What is not confirmed is in the next export again.
 *
 * @throws LandfallError `E_DISK_FULL`; the number of the export is used up then
 */
export async function exportSite(
  parts: AgentParts,
  file: string,
  by: string,
): Promise<{ sequence: number; size: number }> {
  const { state, audit, setup, identity, clock, reporter } = parts
  const { id, project } = setup.deployment
  const sequence = nextSequence(state)
  const at = clock.now()
  audit.append(id, [{ at, type: 'export.made', actor: by, message: `Made export ${sequence}`, data: { sequence } }])
  const { reports, end } = reportsFrom(reporter, exportsOf(state).audit)
  const receipts = importedBundles(state).filter((imported) => !imported.receiptArrived)
  await parts.settleTelemetry()
  const telemetry = await writeTelemetry(parts.spool, `${file}.telemetry`)
  try {
    const head = audit.head(id)
    const checkpoints: AuditCheckpoint[] = head ? [await checkpointOf(id, head, at, identity.signer)] : []
    const { size } = await createExport({
      out: file,
      project,
      deployment: id,
      agent: identity.signer,
      sequence,
      now: at,
      ...enrolmentIn(parts),
      reports,
      receipts: receipts.map((imported) => imported.receipt),
      telemetry: telemetry.files,
      checkpoints,
    })
    const carried = receipts.map((imported) => imported.bundle)
    const told = (reports[0]?.commands ?? []).map(bare)
    recordExport(state, { sequence, at, spool: telemetry.last, audit: end, receipts: carried, commands: told })
    return { sequence, size }
  } finally {
    for (const content of Object.values(telemetry.files)) await rm(content.file, { force: true })
  }
}

/** What is needed to take it as told later: results and output stay with the commands until then. */
function bare(update: CommandUpdate): CommandUpdate {
  return { ...update, result: null, output: update.output.slice(-1).map((piece) => ({ ...piece, chunk: '' })) }
}

/** One report for each page of the audit chain after what arrived, at least one. */
function reportsFrom(reporter: AgentParts['reporter'], after: number) {
  const reports = []
  let end = after
  for (let count = 0; count < maxReports; count++) {
    const report = reporter.build(end)
    const last = report.audit.at(-1)?.number
    if (count > 0 && last === undefined) break
    // They would be the same in each.
    reports.push(count === 0 ? report : { ...report, commands: [] })
    end = last ?? end
  }
  return { reports, end }
}

/** A site without network never learns that it is enrolled: its token says so, until it is used up or another one is given. */
function enrolmentIn({ state, identity, setup, version }: AgentParts): { enrolment?: unknown } {
  const token = enrolmentOf(state)?.token ?? null
  if (token === null) return {}
  const agent = { version, platform: setup.deployment.platform }
  return { enrolment: enrolmentDocument({ identity, deployment: setup.deployment.id, token, agent }) }
}
