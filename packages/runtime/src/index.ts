import { type Bindings, connect } from './bindings/connect.ts'

export { type Bindings, connect } from './bindings/connect.ts'
export type { Collection, Item, Kv, SetOptions } from './bindings/kv.ts'
export type { Queue, SendResult } from './bindings/queue.ts'
export type { Secret } from './bindings/secret.ts'
export type { Content, ObjectInfo, Storage, StoredObject } from './bindings/storage.ts'
export type { Worker } from './bindings/worker.ts'
export type { Time } from './environment/duration.ts'
export { RuntimeError } from './errors/runtime-error.ts'
export type { CommandContext, CronEvent, EventContext, Message, StorageEvent } from './handlers/context.ts'
export { command, onCron, onMessage, onStorage } from './handlers/register.ts'
export type { AnySchema, StandardSchema } from './handlers/schema.ts'
export * from './protocol.ts'
export type { FetchHandler } from './server/handle-request.ts'
export { type Running, type ServeOptions, serve, start } from './server/start.ts'
export { type Log, log } from './telemetry/log.ts'

const own: Bindings = connect(process.env)

/** Whole objects under keys, with ETag preconditions. */
export const storage = own.storage
/** Collections of JSON values under keys, with TTL and compare-and-set. */
export const kv = own.kv
/** Messages to whoever listens, delivered at least once. */
export const queue = own.queue
/** A sealed value. */
export const secret = own.secret
/** Another worker of the stack. */
export const worker = own.worker
/** A connection string for a PostgreSQL client. */
export const postgresUrl = own.postgresUrl
