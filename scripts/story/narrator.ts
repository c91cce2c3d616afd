import { stripVTControlCharacters, styleText } from 'node:util'

/** The story's voice: chapters, steps, one live line on a TTY that ends as plain lines a log can hold. */
export interface Narrator {
  chapter(title: string): void
  say(text: string): void
  /** What a person would type for this. */
  command(text: string): void
  /** Replaces the live line on a TTY; elsewhere said once per text. */
  live(text: string): void
  done(text: string): void
}

export function createNarrator(out: NodeJS.WriteStream, started: number): Narrator {
  const colour = out.isTTY === true && !process.env.NO_COLOR
  const paint = (format: Parameters<typeof styleText>[0], text: string) => (colour ? styleText(format, text) : text)
  let liveShown = ''
  const clear = () => {
    if (out.isTTY && liveShown) out.write('\r\x1b[K')
    liveShown = ''
  }
  const line = (text: string) => {
    clear()
    out.write(`${text}\n`)
  }
  let spoken = ''
  return {
    chapter: (title) => line(`\n${paint('dim', clock(started))} ${paint('bold', title)}`),
    say: (text) => line(`      ${text}`),
    command: (text) => line(`      ${paint('cyan', `$ ${text}`)}`),
    done: (text) => line(`      ${paint('green', '✓')} ${text}`),
    live(text) {
      if (!out.isTTY) {
        if (text !== spoken) line(`      ${text}`)
        spoken = text
        return
      }
      const fitted = stripVTControlCharacters(text).slice(0, (out.columns ?? 100) - 8)
      out.write(`\r\x1b[K      ${fitted}`)
      liveShown = fitted
    },
  }
}

function clock(started: number): string {
  const seconds = Math.floor((Date.now() - started) / 1000)
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
}
