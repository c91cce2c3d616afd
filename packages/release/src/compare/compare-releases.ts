import { type ComputeResource, canonicalJson, frozenDifference, type Manifest, type Resource } from '@landfall/stack'
import type { ReleaseStatement } from '../statement/statement.ts'
import { bytesText, environmentText, planText, triggerText } from './words.ts'

export interface DifferenceLine {
  area: 'stack' | 'permissions' | 'config' | 'rollout' | 'commands' | 'artifacts' | 'setup'
  /** A sentence for a person. */
  change: string
  resource?: string
}

export interface ReleaseDifference {
  /** Version of the release compared with; null for a first release. */
  from: string | null
  lines: DifferenceLine[]
}

/**
 * What changes from one release to another, in words, for the Release page and for whoever approves. With `before` null
 * everything is new. Lines of the area `setup` say what the customer has to set up first.
 */
export function compareReleases(before: ReleaseStatement | null, after: ReleaseStatement): ReleaseDifference {
  const lines: DifferenceLine[] = []
  const old = new Map(before?.manifest.resources.map((resource) => [resource.name, resource]))
  const now = new Map(after.manifest.resources.map((resource) => [resource.name, resource]))
  for (const [name, resource] of now) {
    const previous = old.get(name)
    if (!previous) lines.push({ area: 'stack', resource: name, change: `${name} (${resource.type}) is new` })
    else if (previous.type !== resource.type)
      lines.push({
        area: 'stack',
        resource: name,
        change: `${name} becomes a ${resource.type}; it was a ${previous.type}`,
      })
    lines.push(...compareResource(previous?.type === resource.type ? previous : undefined, resource))
  }
  for (const [name, resource] of old) {
    if (!now.has(name)) lines.push({ area: 'stack', resource: name, change: `${name} (${resource.type}) is removed` })
  }
  lines.push(...compareInputs(before?.manifest, after.manifest), ...compareArtifacts(before, after))
  if (before) {
    for (const { message } of frozenDifference(before.manifest, after.manifest))
      lines.push({ area: 'setup', change: message })
  }
  return { from: before?.version ?? null, lines }
}

function compareResource(before: Resource | undefined, after: Resource): DifferenceLine[] {
  const lines: DifferenceLine[] = []
  const say = (area: DifferenceLine['area'], change: string) => lines.push({ area, change, resource: after.name })
  if (isCompute(after)) {
    const old = before && isCompute(before) ? before : undefined
    for (const change of setChanges(grantsOf(old), grantsOf(after))) say('permissions', `${after.name} ${change}`)
    for (const change of environmentChanges(old, after)) say('config', `${after.name}: ${change}`)
    for (const change of commandChanges(old, after)) say('commands', `${after.name}: ${change}`)
    if (old && !same(old.rollout, after.rollout)) {
      say('rollout', `${after.name} rolls out by ${planText(after.rollout)}; before by ${planText(old.rollout)}`)
    }
    if (after.public && !old?.public) say('permissions', `${after.name} becomes reachable by the public`)
    if (old?.public && !after.public) say('permissions', `${after.name} is no longer reachable by the public`)
  }
  if (before) {
    const apart = ['name', 'type', 'code', 'uses', 'env', 'commands', 'rollout', 'public', 'triggers', 'description']
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [was, is]: unknown[] = [Reflect.get(before, key), Reflect.get(after, key)]
      if (apart.includes(key) || same(was, is)) continue
      say('stack', `${after.name}: ${key} is ${short(is)}; it was ${short(was)}`)
    }
  }
  if (after.type === 'worker') {
    const old = before?.type === 'worker' ? before.triggers.map(triggerText) : []
    const now = after.triggers.map(triggerText)
    for (const one of now) if (!old.includes(one)) say('stack', `${after.name} is now called ${one}`)
    for (const one of old) if (!now.includes(one)) say('stack', `${after.name} is no longer called ${one}`)
  }
  return lines
}

function grantsOf(resource: ComputeResource | undefined): string[] {
  return (resource?.uses ?? []).flatMap((grant) => grant.access.map((kind) => `${kind} ${grant.resource}`))
}

function setChanges(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...after.filter((one) => !before.includes(one)).map((one) => `may now ${one}`),
    ...before.filter((one) => !after.includes(one)).map((one) => `may no longer ${one}`),
  ]
}

function environmentChanges(before: ComputeResource | undefined, after: ComputeResource): string[] {
  const [old, now] = [before?.env ?? {}, after.env]
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].sort().flatMap((name) => {
    const [was, is] = [old[name], now[name]]
    if (same(was, is)) return []
    if (is === undefined) return [`${name} is no longer set`]
    if (was === undefined) return [`${name} is set to ${environmentText(is)}`]
    return [`${name} is ${environmentText(is)}; it was ${environmentText(was)}`]
  })
}

function commandChanges(before: ComputeResource | undefined, after: ComputeResource): string[] {
  const [old, now] = [before?.commands ?? {}, after.commands]
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].sort().flatMap((name) => {
    if (!now[name]) return [`the command ${name} is removed`]
    if (!old[name]) return [`the command ${name} is new`]
    return same(old[name], now[name]) ? [] : [`the command ${name} is defined differently`]
  })
}

function compareInputs(before: Manifest | undefined, after: Manifest): DifferenceLine[] {
  const [old, now] = [before?.inputs ?? {}, after.inputs]
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].sort().flatMap((name): DifferenceLine[] => {
    const definition = now[name]
    if (!definition) return [{ area: 'config', change: `the input ${name} is no longer asked for` }]
    const who = `${definition.required ? 'required' : 'optional'}, given by the ${definition.providedBy}`
    if (!old[name]) return [{ area: 'config', change: `the input ${name} is new (${who})` }]
    return same(old[name], definition)
      ? []
      : [{ area: 'config', change: `the input ${name} is defined differently (${who})` }]
  })
}

function compareArtifacts(before: ReleaseStatement | null, after: ReleaseStatement): DifferenceLine[] {
  const old = codeOf(before)
  return [...codeOf(after)].flatMap(([resource, code]): DifferenceLine[] => {
    const was = old.get(resource)
    if (was?.id === code.id) return []
    const change = was ? `${resource}: code is ${code.text}; it was ${was.text}` : `${resource}: code is ${code.text}`
    return [{ area: 'artifacts', resource, change }]
  })
}

function codeOf(statement: ReleaseStatement | null): Map<string, { id: string; text: string }> {
  const codes = new Map<string, { id: string; text: string }>()
  for (const resource of statement?.manifest.resources ?? []) {
    if (!isCompute(resource)) continue
    const { code } = resource
    if (code.kind === 'image') codes.set(resource.name, { id: code.reference, text: code.reference })
    if (code.kind !== 'artifact') continue
    const text = `${code.digest.slice(0, 19)}… (${bytesText(code.size)})`
    codes.set(resource.name, { id: code.digest, text })
  }
  return codes
}

const isCompute = (resource: Resource): resource is ComputeResource =>
  resource.type === 'worker' || resource.type === 'container'
const same = (a: unknown, b: unknown) => canonicalJson(a ?? null) === canonicalJson(b ?? null)

function short(value: unknown): string {
  if (value === undefined) return 'not set'
  const text = typeof value === 'string' ? value : canonicalJson(value)
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}
