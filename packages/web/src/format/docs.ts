/** Where a code is explained: pages that the manager itself serves, so that they are there without the internet too. */
export const docsOf = (code: string) =>
  code.startsWith('E_') ? `/docs/errors/${encodeURIComponent(code)}` : `/docs/reasons#${encodeURIComponent(code)}`
