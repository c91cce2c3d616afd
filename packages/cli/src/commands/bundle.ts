import type { Command } from 'commander'
import type { World } from '../context/context.ts'
import { checkBundleCommands } from './bundle-check.ts'
import { createBundleCommand } from './bundle-create.ts'
import { importBundleCommand } from './bundle-import.ts'
import { family } from './define.ts'

export function bundleCommands(program: Command, world: World): void {
  const bundles = family(program, 'bundle', 'Releases as one signed file, for a site without network')
  createBundleCommand(bundles, world)
  checkBundleCommands(bundles, world)
  importBundleCommand(bundles, world)
}
