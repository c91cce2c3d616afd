import { expect, test } from 'vitest'
import { seriousViolations } from './axe.ts'
import { pages } from './pages.ts'
import { settled, withStage } from './stage.ts'

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
          expect(await seriousViolations(page), `at ${width}`).toEqual([])
        }
        expect(faults).toEqual([])
      })
    }
  }

  test('the fixture said only what the contract knows', () => {
    expect(stage.fixture.faults).toEqual([])
  })
})
