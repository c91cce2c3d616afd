/** The kind that a message of the stream names; null for what is not one. */
export function kindOf(data: string): string | null {
  try {
    const parsed: unknown = JSON.parse(data)
    const kind = parsed !== null && typeof parsed === 'object' ? Reflect.get(parsed, 'kind') : null
    return typeof kind === 'string' ? kind : null
  } catch {
    return null
  }
}
