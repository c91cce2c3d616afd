import { resolve } from 'node:path'
import { buildRelease, bytesText, loadConfig } from '@landfall/release'
import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { define } from './define.ts'

export function buildCommand(program: Command, world: World): void {
  define<{ version: string; out?: string; directory?: string; manifest?: boolean }>(program, world, {
    name: 'build',
    summary: 'Compile the stack and build its workers into an OCI image layout, without publishing',
    examples: ['build', 'build --out ./out', 'build --manifest --json'],
    configure: (command) =>
      command
        .option('--version <version>', 'what it is called', '0.0.0-local')
        .option('--out <dir>', 'where the layout goes')
        .option('--directory <dir>', 'where landfall.config.ts is')
        .option('--manifest', 'only compile and print the manifest'),
    async run(context, _args, options) {
      const { manifest, dir } = await loadConfig(resolve(context.directory, options.directory ?? '.'))
      if (options.manifest) {
        context.output.data(manifest, (value) => JSON.stringify(value, null, 2))
        return
      }
      const built = await buildRelease({
        dir,
        manifest,
        version: options.version,
        ...(options.out && { out: resolve(context.directory, options.out) }),
        onProgress: (worker) => context.output.say(`  building ${worker}`),
      })
      context.output.data({ layout: built.layoutDir, artifacts: built.artifacts, sbom: built.sbom }, (value) =>
        [
          ...value.artifacts.map(
            (artifact) => `${artifact.resource}  ${artifact.digest.slice(0, 19)}  ${bytesText(artifact.size)}`,
          ),
          `OCI layout in ${value.layout}, bill of materials ${value.sbom.digest.slice(0, 19)}`,
        ].join('\n'),
      )
    },
  })
}
