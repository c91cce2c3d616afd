/** The tag without quotes and weakness, as callers see it. */
export const etagOf = (header: string | null | undefined) =>
  (header ?? '').replace(/^W\//, '').replace(/^"(.*)"$/, '$1')

/** What must hold for a write to happen. */
export interface Precondition {
  /** Only if the object still has this tag. */
  ifMatch?: string
  /** Only if there is none yet. */
  ifNoneMatch?: '*'
}

export const preconditionHeaders = ({ ifMatch, ifNoneMatch }: Precondition): Record<string, string> => ({
  ...(ifMatch === undefined ? {} : { 'if-match': `"${ifMatch}"` }),
  ...(ifNoneMatch === undefined ? {} : { 'if-none-match': '*' }),
})
