/** RFC 9457. */
export function problem(status: number, title: string, problems: readonly string[] = []): Response {
  const body = { type: 'about:blank', title, status, ...(problems.length > 0 ? { problems } : {}) }
  return Response.json(body, { status, headers: { 'content-type': 'application/problem+json' } })
}

export const notFound = () => problem(404, 'There is nothing at this address')
export const tooLarge = (maxBytes: number) => problem(413, `The body is larger than ${maxBytes} bytes`)
