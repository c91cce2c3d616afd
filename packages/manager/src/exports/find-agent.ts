import { type Enrolment, enrolment } from '@landfall/contract'
import { inspectExport, keyIdOf, type PublicKey, readEnrolment } from '@landfall/release'
import { LandfallError, problemsOf } from '@landfall/stack'
import { notEnrolled } from '../agents/refusals.ts'
import type { Database } from '../store/database.ts'
import { invalid } from './read-documents.ts'

export interface ExportSender {
  deployment: string
  name: string
  /** The key that has to prove the export. */
  key: PublicKey
  /** Its agent is not bound yet: this has to bind it before anything is believed. */
  enrolment: Enrolment | null
}

/**
 * Whose export this says it is, and the key that can prove that: the one that is bound, or, of an agent that is not bound yet, the one
 * that its enrolment names. Nothing is proved here.
 *
 * @throws LandfallError `E_EXPORT_DEPLOYMENT`, `E_AGENT_NOT_ENROLLED`, `E_EXPORT_INVALID`, and those of reading the file
 */
export async function findAgent(db: Database, project: string, file: string): Promise<ExportSender> {
  const claimed = await inspectExport(file)
  const row = await db
    .selectFrom('deployments')
    .leftJoin('agents', 'agents.deployment', 'deployments.id')
    .select(['deployments.name', 'agents.sign_key', 'agents.key_id'])
    .where('deployments.id', '=', claimed.deployment)
    .where('deployments.project', '=', project)
    .executeTakeFirst()
  if (!row || claimed.project !== project) throw foreign(claimed, project)
  const { name } = row
  const { deployment } = claimed
  const bound = row.sign_key === null || row.key_id === null ? null : { id: row.key_id, publicKey: row.sign_key }
  if (bound && bound.id === claimed.agent) return { deployment, name, key: bound, enrolment: null }
  const given = checked(await readEnrolment(file))
  if (given) {
    const { sign } = given.keys
    return { deployment, name, key: { id: keyIdOf(Buffer.from(sign, 'base64')), publicKey: sign }, enrolment: given }
  }
  if (!bound) throw notEnrolled(name)
  return { deployment, name, key: bound, enrolment: null }
}

function checked(value: unknown): Enrolment | null {
  if (value === null) return null
  const parsed = enrolment.safeParse(value)
  if (parsed.success) return parsed.data
  throw invalid('its enrolment does not have the shape of one', problemsOf(parsed.error, value))
}

function foreign(claimed: { deployment: string; project: string }, project: string): LandfallError {
  return new LandfallError({
    code: 'E_EXPORT_DEPLOYMENT',
    message: `The export is of ${claimed.deployment} (${claimed.project}); ${project} has no such deployment.`,
    hint: 'Check which site the file came from, and give the project with --project.',
  })
}
