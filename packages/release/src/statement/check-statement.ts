import { canonicalJson, LandfallError, type Problem, problemsOf } from '@landfall/stack'
import { settableOf } from './settable.ts'
import { type ReleaseStatement, releaseStatement } from './statement.ts'

/**
 * Checks a statement as a whole: its shape, that the manifest is of the same project and fully built, that artifacts and
 * manifest name the same content, and that `settable` is what the manifest says. Throws `E_RELEASE_INVALID`,
 * `E_ARTIFACT_DIGEST` or `E_ENVIRONMENT_REFUSED`.
 */
export function checkStatement(value: unknown): ReleaseStatement {
  const parsed = releaseStatement.safeParse(value)
  if (!parsed.success) {
    throw invalid('it does not have the shape of a release', problemsOf(parsed.error, value))
  }
  const statement = parsed.data
  if (statement.manifest.project !== statement.project) throw invalid('its manifest is of another project')
  checkArtifacts(statement)
  if (canonicalJson(settableOf(statement.manifest)) !== canonicalJson(statement.settable)) {
    throw invalid('what it says may be set is not what its manifest says')
  }
  return statement
}

function checkArtifacts(statement: ReleaseStatement): void {
  const artifacts = new Map(statement.artifacts.map((artifact) => [artifact.resource, artifact]))
  if (artifacts.size !== statement.artifacts.length) throw invalid('a resource has two artifacts')
  for (const resource of statement.manifest.resources) {
    if (resource.type !== 'worker' && resource.type !== 'container') continue
    const { code } = resource
    if (code.kind === 'source') throw invalid(`the worker ${resource.name} is not built`)
    if (code.kind === 'image') continue
    const artifact = artifacts.get(resource.name)
    artifacts.delete(resource.name)
    if (artifact?.digest === code.digest && artifact.size === code.size && artifact.mediaType === code.mediaType)
      continue
    throw new LandfallError({
      code: 'E_ARTIFACT_DIGEST',
      message: `The manifest and the artifacts of the release name different content for ${resource.name}.`,
      hint: 'Build and sign the release again.',
      subject: `resource:${resource.name}`,
    })
  }
  const [extra] = artifacts.keys()
  if (extra) throw invalid(`it has an artifact for ${extra}, which its manifest does not use`)
}

function invalid(why: string, problems: Problem[] = []): LandfallError {
  return new LandfallError({
    code: 'E_RELEASE_INVALID',
    message: `The release is not valid: ${why}.`,
    hint: 'Build and sign the release again with `landfall release`.',
    problems,
  })
}
