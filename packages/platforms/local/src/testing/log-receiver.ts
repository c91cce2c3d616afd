import { createServer } from 'node:http'
import type { AnyValue, KeyValue } from '@landfall/runtime/otlp'

export interface LogRecord {
  timeUnixNano: string
  severityText: string
  severityNumber: number
  body: AnyValue
  attributes: KeyValue[]
  traceId?: string
  spanId?: string
}

interface LogsRequest {
  resourceLogs: { scopeLogs: { logRecords: LogRecord[] }[] }[]
}

/** Takes OTLP, and keeps the log records whoever sent them. */
export async function startLogReceiver() {
  const records: LogRecord[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    if (request.url === '/v1/logs') {
      const { resourceLogs } = JSON.parse(text) as LogsRequest
      records.push(...resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)))
    }
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    records,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
