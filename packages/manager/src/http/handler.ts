import type { Operation, Route, Routes } from '@landfall/contract'
import type { z } from 'zod'
import type { BodyBytes } from './body-bytes.ts'
import type { Principal } from './principal.ts'
import type { Services } from './services.ts'

type Parts<R> = R extends Route<infer P, infer Q, infer B, infer O> ? { p: P; q: Q; b: B; o: O } : never
type OutputOf<T> = T extends z.ZodType ? z.output<T> : never

/** A route without a schema for its body has `never` or the bare `ZodType` there. */
type BodyOf<B> = [B] extends [never] ? BodyBytes : z.ZodType extends B ? BodyBytes : OutputOf<B>

/** A call after it was let in and its parts were parsed; everything in it has the shape that the contract says. */
export interface HandlerRequest<O extends Operation> {
  params: OutputOf<Parts<Routes[O]>['p']>
  query: OutputOf<Parts<Routes[O]>['q']>
  /** Parsed JSON; for `body: 'bytes'` the bounded stream. */
  body: BodyOf<Parts<Routes[O]>['b']>
  /** Null only on public routes. */
  principal: Principal | null
  /** `actorName(principal)`: what audit entries carry. */
  actor: string
  requestId: string
  headers: Headers
  /** Address of the peer; empty when unknown. */
  peer: string
  /** Aborts when the client went away or the manager drains. */
  signal: AbortSignal
  /** Headers of the answer beside the usual ones, such as cookies. */
  reply: Headers
}

type ResultOf<R> = [R] extends [never] ? undefined : R extends z.ZodType ? z.output<R> : Response

/**
 * Does what a route promises. Answers the result (a `Response` where the contract says events, bytes, text or page), or
 * throws `LandfallError`; `http/status-of.ts` says which status its code gets. The result is checked against the
 * contract's schema before it leaves, and what the schema does not name is dropped.
 */
export type Handler<O extends Operation> = (
  request: HandlerRequest<O>,
  services: Services,
) => Promise<ResultOf<Parts<Routes[O]>['o']>>

/** One handler for every route. A room offers its part as `{ … } satisfies Partial<Handlers>`. */
export type Handlers = { readonly [O in Operation]: Handler<O> }
