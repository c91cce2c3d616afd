#!/usr/bin/env node
// Landfall runs on Node 24 (see docs/decisions). Where this node is older, the one that npm installed beside us is used.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'src', 'main.ts')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 24 || (major === 24 && minor >= 0)) {
  const { main: run } = await import(main)
  process.exitCode = await run(process.argv.slice(2))
} else {
  const node = findNode(dirname(main))
  if (!node) {
    console.error(
      `landfall needs Node 24 or newer; this is ${process.versions.node}.\nInstall Node 24, or run \`npm ci\` in the checkout, which brings one. (E_NODE_TOO_OLD)`,
    )
    process.exit(1)
  }
  const result = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  process.exit(result.status ?? 1)
}

function findNode(from) {
  for (let directory = from; ; directory = dirname(directory)) {
    const candidate = join(directory, 'node_modules', '.bin', 'node')
    if (existsSync(candidate)) return candidate
    if (dirname(directory) === directory) return null
  }
}
