/**
 * The proxy for an address by the variables that other tools read: HTTPS_PROXY or HTTP_PROXY by its scheme (lower case wins, as in curl),
 * unless NO_PROXY names it (`*`, a host, `.suffix` or a suffix, each with an optional port). Null: go there directly.
 */
export function proxyFor(url: URL, env: Readonly<Record<string, string | undefined>>): string | null {
  const read = (name: string) => env[name.toLowerCase()] || env[name]
  const proxy = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY')
  if (!proxy) return null
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '')
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  for (const entry of (read('NO_PROXY') ?? '').split(/[\s,]+/).filter(Boolean)) {
    if (entry === '*') return null
    const [, name = '', wanted] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
    // An IPv6 address without brackets is all host.
    const [bare, only] =
      entry.split(':').length > 2 && !entry.startsWith('[') ? [entry.toLowerCase(), undefined] : [name, wanted]
    const suffix = bare.replace(/^\*?\./, '')
    if ((only === undefined || only === port) && (host === suffix || host.endsWith(`.${suffix}`))) return null
  }
  return proxy.includes('://') ? proxy : `http://${proxy}`
}
