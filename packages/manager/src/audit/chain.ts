/** Name of the chain that an entry belongs to: the deployment's, else the project's, else the installation's. */
export function chainOf(entry: { project: string | null; deployment: string | null }): string {
  return entry.deployment ?? (entry.project === null ? 'landfall' : `project:${entry.project}`)
}
