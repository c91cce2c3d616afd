import http from 'node:http'

/** Asks a worker's health path once. True for 2xx and 3xx within the time. */
export function checkHealth(port: number, path: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path, agent: false, timeout: timeoutMs }, (response) => {
      const status = response.statusCode ?? 500
      response.resume()
      response.on('error', () => {})
      resolve(status >= 200 && status < 400)
    })
    // `timeout` watches for silence on the socket; the timer bounds the whole, for one who answers byte by byte.
    const timer = setTimeout(() => request.destroy(new Error('timeout')), timeoutMs)
    request.once('timeout', () => request.destroy(new Error('timeout')))
    request.once('upgrade', (_answer, socket) => socket.destroy())
    request.on('error', () => resolve(false))
    request.once('close', () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}
