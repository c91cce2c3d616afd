import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { pages } from './pages.ts'
import { settled, withStage } from './stage.ts'

interface AxeResults {
  passes: { id: string }[]
  violations: { id: string; impact: string | null; help: string; nodes: { html: string; failureSummary?: string }[] }[]
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

withStage('every page', (stage) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const { name, path } of pages) {
      test(`${name}, ${colorScheme}: axe finds nothing serious, on wide and narrow screens, which do not scroll sideways`, async () => {
        const page = await stage.open(path, { colorScheme, bypassCSP: true })
        const faults: string[] = []
        page.on('pageerror', (error) => faults.push(error.message))
        for (const width of [1440, 390]) {
          await page.setViewportSize({ width, height: 844 })
          await settled(page)
          const sideways = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          )
          expect(sideways, `scrolls sideways at ${width}`).toBeLessThanOrEqual(0)
          // The colours are the same at both widths: the dark ones are looked at once.
          if (colorScheme === 'dark' && width === 390) continue
          await page.evaluate(axe)
          const results = await page.evaluate(
            // `axe` is what the line above put there.
            () => (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
          )
          const serious = results.violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(
              ({ id, help, nodes }) =>
                `${width}: ${id}: ${help}: ${nodes.map((node) => `${node.html} ${node.failureSummary ?? ''}`).join('\n')}`,
            )
          expect(serious).toEqual([])
          expect(results.passes.map(({ id }) => id)).toContain('color-contrast')
        }
        expect(faults).toEqual([])
      })
    }
  }

  test('the fixture said only what the contract knows', () => {
    expect(stage.fixture.faults).toEqual([])
  })
})
