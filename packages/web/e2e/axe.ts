import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

interface AxeResults {
  passes: { id: string }[]
  violations: { id: string; impact: string | null; help: string; nodes: { html: string; failureSummary?: string }[] }[]
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds serious or critical on the page, which must let scripts in (`bypassCSP`). Fails where axe saw no colours. */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const results = await page.evaluate(
    // `axe` is what the line above put there. React Aria's announcer keeps, for seconds, a line that names a button which has gone with its dialog.
    () =>
      (globalThis as unknown as { axe: { run: (context: object) => Promise<AxeResults> } }).axe.run({
        exclude: [['[data-live-announcer]']],
      }),
  )
  if (!results.passes.some(({ id }) => id === 'color-contrast')) throw new Error('axe looked at no colours')
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).join('\n')}`,
    )
}
