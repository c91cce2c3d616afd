import type { Command } from 'commander'
import type { World } from '../context/context.ts'
export function devCommand(_program: Command, _world: World): void {}
