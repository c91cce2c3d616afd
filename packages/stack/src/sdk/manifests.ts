import type { BaseOptions, Definition } from './definition.ts'

export type ManifestsOptions = BaseOptions &
  (
    | { yaml: readonly string[]; kustomize?: never; helm?: never }
    | { kustomize: string; yaml?: never; helm?: never }
    | { helm: { chart: string; values?: Record<string, unknown> }; yaml?: never; kustomize?: never }
  )

/** Kubernetes objects as they are: YAML files, a Kustomize directory, or a Helm chart. Only on Kubernetes. */
export function manifests(name: string, options: ManifestsOptions): Definition<'manifests'> {
  const { yaml, kustomize, helm, ...base } = options
  const source = helm
    ? { kind: 'helm', ...helm }
    : kustomize !== undefined
      ? { kind: 'kustomize', path: kustomize }
      : { kind: 'yaml', paths: yaml }
  return {
    type: 'manifests',
    name,
    mentions: [],
    compile: () => ({ type: 'manifests', name, lifecycle: 'live', ...base, source }),
  }
}
