import { invalid } from '../../http/parse-request.ts'

/** Where a page of a list by time of creation ends. */
export interface Cursor {
  at: Date
  id: string
}

export const cursorText = (row: { created_at: Date; id: string }): string => `${row.created_at.getTime()}~${row.id}`

/** @throws LandfallError `E_INVALID_REQUEST` */
export function readCursor(text: string): Cursor {
  const match = /^(\d{1,15})~([a-z0-9_]{1,60})$/.exec(text)
  if (!match?.[2]) throw invalid([{ path: 'after', message: 'is not a cursor of this list: take `next` unchanged' }])
  return { at: new Date(Number(match[1])), id: match[2] }
}
