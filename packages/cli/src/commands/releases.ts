import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { relative } from '../output/time.ts'
import { define, family } from './define.ts'

const bytes = (size: number) =>
  size < 1_048_576 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / 1_048_576).toFixed(1)} MiB`

export function releaseCommands(program: Command, world: World): void {
  const releases = family(program, 'releases', 'Releases of a project')
  define<{ channel?: string; limit: string }>(releases, world, {
    name: 'ls',
    summary: 'Releases, newest first, with how many deployments run them',
    examples: ['releases ls', 'releases ls --channel beta --json'],
    configure: (command) =>
      command.option('--channel <name>', 'only this channel').option('--limit <n>', 'how many', '20'),
    async run(context, _args, options) {
      const result = await context.client().listReleases({
        params: { project: context.project() },
        query: { limit: Number(options.limit), ...(options.channel && { channel: options.channel }) },
      })
      context.output.data(result, ({ items }) =>
        items.length === 0
          ? 'No release yet. Make one with `landfall release`.'
          : context.output.table(items, [
              { title: 'version', value: (item) => item.version },
              { title: 'channel', value: (item) => item.channel },
              { title: 'running', value: (item) => String(item.running), align: 'right' },
              { title: 'arriving', value: (item) => String(item.arriving), align: 'right' },
              { title: 'published', value: (item) => relative(item.publishedAt) },
              { title: 'digest', value: (item) => item.digest.slice(0, 19), shrink: 1 },
            ]),
      )
    },
  })
  define(releases, world, {
    name: 'show',
    summary: 'What is in a release, how it differs from the one before, and where it runs',
    examples: ['releases show 1.2.0'],
    configure: (command) => command.argument('<release>', 'version or digest'),
    async run(context, [name = '']) {
      const release = await context.client().getRelease({ params: { project: context.project(), release: name } })
      context.output.data(release, (item) =>
        [
          `${item.version} on ${item.channel}, published ${relative(item.publishedAt)} by ${item.publishedBy}`,
          `digest     ${item.digest}`,
          `signed by  ${item.signedBy.map((key) => `${key.kind} key ${key.keyid.slice(0, 12)}`).join(', ')}`,
          `sequence   ${item.sequence}`,
          `artifacts  ${item.artifacts.map((artifact) => `${artifact.resource} ${bytes(artifact.size)}`).join(', ') || 'none'}`,
          `running    ${item.running} deployments, ${item.arriving} on the way`,
          item.difference.from ? `\nChanged since ${item.difference.from}:` : '',
          ...item.difference.lines.map((line) => `  ${line.area}: ${line.change}`),
        ]
          .filter((line) => line !== '')
          .join('\n'),
      )
    },
  })
}
