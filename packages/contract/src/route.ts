import { z } from 'zod'

const emptyObject = z.strictObject({})

export const roles = ['admin', 'developer', 'viewer'] as const
/** A person's role in a project; each includes the ones after it. */
export type Role = (typeof roles)[number]

export const tokenKinds = ['user', 'ci', 'deployer', 'agent'] as const
/**
 * - `user`: a person's API token, with the person's roles · `ci`: releases of one project
 * - `deployer`: one deployment, for the customer's person · `agent`: one deployment, for its agent
 */
export type TokenKind = (typeof tokenKinds)[number]

/** Who may call a route. Closed by construction: what is not named is refused, and a test walks every route × principal. */
export interface Access {
  /** Anyone, without a token. */
  public?: true
  /** Any signed-in person. */
  signedIn?: true
  /** Only people who run this Landfall. */
  operator?: true
  /** The least role in the route's project. */
  role?: Role
  /** Machine tokens, beside people; each is bound to its own project or deployment. */
  tokens?: readonly Exclude<TokenKind, 'user'>[]
}

type Shape = z.ZodType
/** Answers that are not JSON: `text/event-stream`, any content, plain text, a page to read, a browser redirect. */
export type RawResult = 'events' | 'bytes' | 'text' | 'html' | 'page'

export interface Route<
  Params extends Shape = Shape,
  Query extends Shape = Shape,
  Body extends Shape = Shape,
  Result extends Shape | RawResult = Shape | RawResult,
> {
  operation: string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `{param}` segments. */
  path: string
  tag: string
  summary: string
  access: Access
  params: Params
  query: Query
  /** JSON by default; `bytes` for blobs and telemetry. */
  body: Body | 'bytes' | null
  /** Highest accepted size of the body, in bytes. */
  maxBody: number
  /** JSON by default; null: nothing comes back. */
  result: Result | null
  status: 200 | 201 | 202 | 204 | 302
  /** Says itself what it repeats: an `Idempotency-Key` is not looked at, and costs nothing. */
  repeatable?: true
}

/** Defines a route; fills in what most routes leave out. */
export function route<
  P extends Shape = z.ZodObject<Record<never, never>>,
  Q extends Shape = z.ZodObject<Record<never, never>>,
  B extends Shape = never,
  R extends Shape | RawResult = never,
>(definition: {
  operation: string
  method: Route['method']
  path: string
  tag: string
  summary: string
  access: Access
  params?: P
  query?: Q
  body?: B | 'bytes'
  maxBody?: number
  result?: R
  status?: Route['status']
  repeatable?: true
}): Route<P, Q, B, R> {
  return {
    ...definition,
    params: definition.params ?? (emptyObject as unknown as P),
    query: definition.query ?? (emptyObject as unknown as Q),
    body: definition.body ?? null,
    maxBody: definition.maxBody ?? 1_048_576,
    result: definition.result ?? null,
    status: definition.status ?? (definition.result === undefined ? 204 : definition.method === 'POST' ? 201 : 200),
  }
}
