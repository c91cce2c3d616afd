import pg from 'pg'

/** One write to a push deployment that only the holder of its lease may make, as the database itself saw it. */
export interface Write {
  deployment: string
  epoch: number
  /** In the row after the write; null where the lease was given up by it. */
  owner: string | null
  /** The manager's name, by its connection. */
  writer: string
  kind: 'claim' | 'renew' | 'release' | 'state'
  /** What the state's first 12 digits of MD5 are after it. */
  state: string | null
  at: Date
}

const triggers = `
create table witness (
  number bigint generated always as identity primary key, deployment text not null, epoch bigint not null, owner text,
  writer text not null, kind text not null, state text, at timestamptz not null default clock_timestamp());
create function witness_write() returns trigger language plpgsql security definer as $$
declare
  kind text := case
    when new.lease_epoch <> old.lease_epoch then 'claim'
    when old.lease_owner is not null and new.lease_owner is null then 'release'
    when new.state is distinct from old.state then 'state'
    else 'renew' end;
begin
  insert into witness (deployment, epoch, owner, writer, kind, state)
    values (new.id, new.lease_epoch, new.lease_owner, current_setting('application_name'), kind, left(md5(new.state::text), 12));
  return null;
end $$;
create trigger witness_write after update on deployments for each row
  when (new.model = 'push' and (new.lease_epoch <> old.lease_epoch or new.lease_owner is distinct from old.lease_owner
    or new.lease_until is distinct from old.lease_until or new.state is distinct from old.state))
  execute function witness_write();`

/** Watches a database from within, by a trigger of the test's own; the product knows nothing of it. */
export class Witness {
  readonly #url: () => string

  /** @param url the database, past any proxy; asked each time, as it may move */
  constructor(url: () => string) {
    this.#url = url
  }

  async install(): Promise<void> {
    await this.query(triggers)
  }

  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.#url(), application_name: 'test' })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Row>(text, [...values])).rows
    } finally {
      await client.end()
    }
  }

  async writes(): Promise<Write[]> {
    const rows = await this.query<Write & { epoch: string }>(
      'select deployment, epoch, owner, writer, kind, state, at from witness order by number',
    )
    return rows.map((row) => ({ ...row, epoch: Number(row.epoch) }))
  }
}

/**
 * What is wrong with a history of writes: an epoch that two managers wrote under, a write under an epoch that had passed on, an epoch
 * given twice. Nothing: every write was its holder's.
 */
export function strayWrites(writes: readonly Write[]): string[] {
  const holder = new Map<string, { epoch: number; writer: string; owner: string | null }>()
  const wrong: string[] = []
  for (const write of writes) {
    const { deployment, epoch, writer, owner, kind } = write
    const before = holder.get(deployment)
    const told = `${kind} of ${deployment} under epoch ${epoch} by ${writer} at ${write.at.toISOString()}`
    if (kind === 'claim') {
      if (before && epoch !== before.epoch + 1) wrong.push(`${told}: the epoch before was ${before.epoch}`)
      holder.set(deployment, { epoch, writer, owner })
      continue
    }
    if (!before?.owner) wrong.push(`${told}: nobody held it`)
    else if (epoch !== before.epoch || writer !== before.writer) {
      wrong.push(`${told}: epoch ${before.epoch} is held by ${before.writer}`)
    } else if (owner !== null && owner !== before.owner) {
      wrong.push(`${told}: the owner changed from ${before.owner} to ${owner}`)
    }
    if (kind === 'release') holder.set(deployment, { epoch, writer, owner: null })
  }
  return wrong
}

/** Claims of a lease that its holder had not given up: it had run out. */
export function overtaken(writes: readonly Write[]): Write[] {
  const held = new Map<string, boolean>()
  return writes.filter(({ deployment, kind }) => {
    const taken = kind === 'claim' && held.get(deployment) === true
    held.set(deployment, kind !== 'release')
    return taken
  })
}
