import { stripVTControlCharacters, styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** Colour only where a person looks: on a TTY, and never against `NO_COLOR` (https://no-color.org). */
export type Style = (format: Format, text: string) => string

export function createStyle(stream: { isTTY?: boolean }, environment: Record<string, string | undefined>): Style {
  const on = (stream.isTTY === true || environment.FORCE_COLOR === '1') && !environment.NO_COLOR
  return (format, text) => (on ? styleText(format, text, { validateStream: false }) : text)
}

/** Visible width: colour codes take none. */
export function width(text: string): number {
  return stripVTControlCharacters(text).length
}
