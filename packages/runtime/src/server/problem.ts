/** An answer of the runtime itself, as an RFC 9457 problem document. */
export function problem(
  status: number,
  code: string,
  detail: string,
  hint: string,
  headers: Record<string, string> = {},
): Response {
  const body = { type: `https://landfall.dev/errors/${code}`, title: code, status, detail, code, hint }
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  })
}
