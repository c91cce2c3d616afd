/**
 * What a platform and a worker's process say to each other. Platforms write `WorkerEnvironment`, the runtime reads it.
 *
 * Words: a *binding* is the address of a resource, as JSON; a *driver* is the way it is spoken to.
 */

/** Environment of every worker process, beside the worker's own variables. */
export interface WorkerEnvironment {
  /** The process serves HTTP on 127.0.0.1 (local) or 0.0.0.0 (containers), here. */
  PORT: string
  LANDFALL_HOST?: string
  LANDFALL_DEPLOYMENT: string
  LANDFALL_WORKER: string
  /** Release version, such as `1.2.0`, and the version's id (a digest). */
  LANDFALL_VERSION: string
  LANDFALL_VERSION_ID: string
  /** JSON: `Record<resource name, Binding>`; holds exactly what the worker `uses`. */
  LANDFALL_BINDINGS: string
  /** Bearer token: the worker sends it to bindings with driver `http`; the platform sends it to `/_landfall/invoke`. */
  LANDFALL_TOKEN: string
  /** Longest time of one request or event, milliseconds; default 30 000. A command's own deadline counts for commands. */
  LANDFALL_TIMEOUT_MS?: string
  /** Time from SIGTERM to the end of the process, milliseconds; default 10 000. */
  LANDFALL_GRACE_MS?: string
  /** Path of the health check, default `/healthz`: answered for code that does not, and left out of request metrics. */
  LANDFALL_HEALTH_PATH?: string
  /**
   * `stdout`: the platform reads `StructuredLine`s from standard output and exports them itself, so that a line that was written
   * right before a crash arrives too; the runtime then exports no logs, only metrics and traces. Unset: it exports both.
   */
  LANDFALL_LOGS?: 'stdout'
  /** Base URL that takes OTLP/HTTP at `/v1/logs`, `/v1/metrics`, `/v1/traces`; unset: telemetry is off. */
  OTEL_EXPORTER_OTLP_ENDPOINT?: string
  /** `key=value,key=value`, percent-encoded, as OpenTelemetry's specification says. */
  OTEL_EXPORTER_OTLP_HEADERS?: string
  OTEL_RESOURCE_ATTRIBUTES?: string
}

/**
 * Driver `http` is the local platform's host. Below `url`, every request with `Authorization: Bearer LANDFALL_TOKEN`:
 *
 * storage: `PUT|GET|HEAD|DELETE /objects/<key, percent-encoded>`; `ETag` in answers; `If-Match` / `If-None-Match: *` honoured
 *   (412 when not met); `GET /objects?prefix=&after=&limit=` → `{ objects: [{ key, etag, size, contentType, modifiedAt }], next: string | null }`
 * kv: `GET|PUT|DELETE /items/<collection>/<key>`; the value is the body (≤ 64 KiB); `ETag: "<version>"`; `If-Match` / `If-None-Match: *`
 *   compare-and-set; `Landfall-Ttl-Ms` on PUT; `GET /items/<collection>?prefix=&after=&limit=` →
 *   `{ items: [{ key, version, value: base64 }], next: string | null }`
 * queue: `POST /messages` (body ≤ 256 KiB, `Content-Type` kept) → `{ id }`
 * secret: `GET /` → the value as the body
 * worker: the worker's own requests below `url`, through its router
 * Refusals: 403 `{ code: 'E_NOT_GRANTED', message, hint }`, 404, 412, 413 in the same form.
 */
export type Binding =
  | { type: 'storage'; driver: 'http'; url: string }
  | { type: 'kv'; driver: 'http'; url: string }
  | { type: 'queue'; driver: 'http'; url: string }
  | { type: 'secret'; driver: 'http'; url: string }
  | { type: 'worker'; driver: 'http'; url: string }
  | { type: 'postgres'; driver: 'url'; url: string }

/** Body of `POST /_landfall/invoke`, JSON. */
export type Invocation =
  | {
      kind: 'queue'
      queue: string
      message: {
        id: string
        body: string
        encoding: 'base64'
        contentType: string
        attempt: number
        enqueuedAt: number
      }
    }
  | { kind: 'cron'; schedule: string; scheduledAt: number }
  | { kind: 'storage'; storage: string; event: 'created' | 'deleted'; key: string; at: number; id: string }
  | { kind: 'command'; command: string; id: string; attempt: number; input: unknown; deadline: number }

/**
 * Answer to an invocation: 200 with NDJSON, a line each. `output` lines only for commands, as they are written; the last
 * line is `done` or `error`. A connection that ends without one counts as an error (redelivered, or a next attempt).
 */
export type InvocationLine =
  | { output: string }
  | { done: true; result?: unknown }
  | { error: { code: string; message: string } }

/**
 * A line of the runtime's log on standard output, as JSON. Every other member is a field of the line; a field that is named
 * as one of these is written as `fields.NAME`.
 */
export interface StructuredLine {
  /** ISO 8601, UTC. */
  time: string
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  /** Hexadecimal, of the span in which it was written. */
  traceId?: string
  spanId?: string
}
