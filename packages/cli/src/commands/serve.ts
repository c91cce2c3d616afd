import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { define } from './define.ts'

export function serveCommand(program: Command, world: World): void {
  define<{ port: string; host: string; data: string; publicUrl?: string }>(program, world, {
    name: 'serve',
    summary: 'Run a manager: API, dashboard, rollouts, and the runner for push deployments',
    examples: [
      'serve',
      'serve --port 9000 --data /var/lib/landfall',
      'serve --host 0.0.0.0 --public-url https://landfall.example.com',
    ],
    configure: (command) =>
      command
        .option('--port <port>', 'where it listens', '8080')
        .option('--host <address>', 'on which address', '127.0.0.1')
        .option(
          '--data <dir>',
          'keys, and the embedded PostgreSQL unless DATABASE_URL names another',
          '.landfall/manager',
        )
        .option('--public-url <url>', 'how people and machines reach it'),
    async run(context, _args, options) {
      // Loaded only here: it is most of Landfall, and every other command starts faster without it.
      const { startManager } = await import('@landfall/manager')
      const databaseUrl = context.environment.DATABASE_URL
      const manager = await startManager({
        dataDir: resolve(context.directory, options.data),
        port: Number(options.port),
        host: options.host,
        ...(databaseUrl && { databaseUrl }),
        ...(options.publicUrl && { publicUrl: options.publicUrl }),
      })
      context.output.event({ kind: 'ready', url: manager.url, bootstrap: manager.bootstrapUrl }, () =>
        [
          `Landfall is at ${manager.url}`,
          ...(manager.bootstrapUrl ? [`Make the first account at ${manager.bootstrapUrl}`] : []),
        ].join('\n'),
      )
      await new Promise<void>((done) => {
        if (context.signal.aborted) done()
        else context.signal.addEventListener('abort', () => done(), { once: true })
      })
      context.output.say('Stopping: requests under way are finished first.')
      await manager.stop()
    },
  })
}
