/** What PostgreSQL acknowledged to managers, as heard on the wire: a transaction counts once the server said that it is ready again. */
export interface Acknowledged {
  /** Each lease that was handed out. */
  claims: { deployment: string; epoch: number; owner: string }[]
  /** Hashes of audit entries. */
  links: Set<string>
}

const ownerForm = /^[^:\s]+:\d+:[0-9a-f]{8}-[0-9a-f-]{27}$/

/** Follows one connection (PostgreSQL manual, "Frontend/Backend Protocol", version 3). */
export class WireTap {
  readonly #heard: Acknowledged
  readonly #client = new Frames(false)
  readonly #server = new Frames(true)
  readonly #prepared = new Map<string, string>()
  #sql = ''
  #owner = ''
  #columns: string[] = []
  #claims: Acknowledged['claims'] = []
  #links: string[] = []

  constructor(heard: Acknowledged) {
    this.#heard = heard
  }

  fromClient(chunk: Buffer): void {
    for (const { type, body } of this.#client.read(chunk)) {
      if (type === 'P') {
        const [name = '', sql = ''] = texts(body, 2)
        this.#prepared.set(name, sql)
      }
      if (type === 'Q') this.#sql = texts(body, 1)[0] ?? ''
      if (type !== 'B') continue
      this.#sql = this.#prepared.get(texts(body, 2)[1] ?? '') ?? ''
      const values = parameters(body)
      this.#owner = values.find((value) => ownerForm.test(value)) ?? ''
      if (/insert into "?audit_entries/.test(this.#sql)) this.#links.push(...values.flatMap(hashesIn))
    }
  }

  fromServer(chunk: Buffer): void {
    for (const { type, body } of this.#server.read(chunk)) {
      if (type === 'T') this.#columns = columns(body)
      else if (type === 'D') this.#row(body)
      else if (type === 'E' || (type === 'C' && body.toString('latin1').startsWith('ROLLBACK'))) this.#forget()
      else if (type === 'Z' && body.toString('latin1') === 'I') this.#accept()
    }
  }

  #row(body: Buffer): void {
    if (!this.#sql.includes('update "deployments"') || !this.#sql.includes('lease_epoch + 1')) return
    const row = fields(body)
    const at = (name: string) => row[this.#columns.indexOf(name)] ?? ''
    this.#claims.push({ deployment: at('id'), epoch: Number(at('lease_epoch')), owner: this.#owner })
  }

  #accept(): void {
    this.#heard.claims.push(...this.#claims)
    for (const link of this.#links) this.#heard.links.add(link)
    this.#forget()
  }

  #forget(): void {
    this.#claims = []
    this.#links = []
  }
}

/** Of entries that are sent as one JSON array. */
function hashesIn(value: string): string[] {
  if (!value.startsWith('[')) return []
  return (JSON.parse(value) as { hash?: unknown }[]).flatMap(({ hash }) => (typeof hash === 'string' ? [hash] : []))
}

/** Cuts a stream into messages. The client's first message has no type. */
class Frames {
  #typed: boolean
  #rest: Buffer = Buffer.alloc(0)

  constructor(typed: boolean) {
    this.#typed = typed
  }

  *read(chunk: Buffer): Generator<{ type: string; body: Buffer }> {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const head = this.#typed ? 1 : 0
      if (this.#rest.length < head + 4) return
      const end = head + this.#rest.readInt32BE(head)
      if (this.#rest.length < end) return
      const type = this.#typed ? String.fromCharCode(this.#rest[0] ?? 0) : ''
      const body = this.#rest.subarray(head + 4, end)
      this.#rest = this.#rest.subarray(end)
      this.#typed = true
      yield { type, body }
    }
  }
}

/** The first `count` strings, each ended by a zero byte. */
function texts(body: Buffer, count: number): string[] {
  const found: string[] = []
  for (let at = 0; found.length < count; ) {
    const end = body.indexOf(0, at)
    if (end < 0) break
    found.push(body.toString('utf8', at, end))
    at = end + 1
  }
  return found
}

function parameters(body: Buffer): string[] {
  let at = body.indexOf(0, body.indexOf(0) + 1) + 1
  at += 2 + 2 * body.readInt16BE(at)
  return fields(body.subarray(at)).map((value) => value ?? '')
}

function columns(body: Buffer): string[] {
  const names: string[] = []
  for (let left = body.readInt16BE(0), at = 2; left > 0; left--) {
    const end = body.indexOf(0, at)
    names.push(body.toString('utf8', at, end))
    at = end + 1 + 18
  }
  return names
}

/** A count, then lengths with bytes; -1 is null. */
function fields(body: Buffer): (string | null)[] {
  const values: (string | null)[] = []
  for (let left = body.readInt16BE(0), at = 2; left > 0; left--) {
    const length = body.readInt32BE(at)
    at += 4
    values.push(length < 0 ? null : body.toString('utf8', at, at + length))
    at += Math.max(0, length)
  }
  return values
}
