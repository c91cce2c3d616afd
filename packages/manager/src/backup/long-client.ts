import pg from 'pg'

const int8 = pg.types.builtins.INT8

/**
 * One connection for a backup or a restore: a statement may take hours, a lock half a minute. Text forms are fixed, so that rows mean the
 * same whatever the server's settings are.
 */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'landfall-backup',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
    },
    options:
      '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c client_encoding=UTF8 ' +
      '-c lock_timeout=30000 -c statement_timeout=21600000 -c idle_in_transaction_session_timeout=600000',
  })
  // A connection that breaks ends the query under way; it must not end the process too.
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}
