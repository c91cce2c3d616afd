import { LandfallError } from '@landfall/stack'

/** Behind which line by time. */
export interface Place {
  micros: string
  id: string
}

/** What a follower has: everything that is visible in `snapshot`; within what is visible in `upTo`, also all through `behind`. */
export interface Arrival {
  snapshot: string
  upTo?: string | null
  behind?: (Place & { xid: string }) | null
}

/** Whether PostgreSQL takes it: `XMIN:XMAX:XIP,…`, the last in order and between the others. */
function isSnapshot(text: string): boolean {
  const [, xmin, xmax, open] = /^([1-9]\d{0,18}):([1-9]\d{0,18}):([\d,]{0,10000})$/.exec(text) ?? []
  if (xmin === undefined || xmax === undefined) return false
  const running = open ? open.split(',') : []
  if (running.some((each) => !/^\d{1,19}$/.test(each))) return false
  const all = [xmin, ...running, xmax].map(BigInt)
  return all.every((each, index) => index === 0 || each > (all[index - 1] ?? 0n) || (index === 1 && each === all[0]))
}

/** As it travels: `v~SNAPSHOT` or `v~SNAPSHOT~UPTO~XID~MICROS~ID`. */
export function arrivalText({ snapshot, upTo, behind }: Arrival): string {
  return behind ? ['v', snapshot, upTo, behind.xid, behind.micros, behind.id].join('~') : `v~${snapshot}`
}

/** Reads either form: an arrival, or the `id` of a line (`MICROS~ID`). @throws LandfallError `E_INVALID_REQUEST` */
export function cursorOf(text: string): Arrival | Place {
  const place = /^(\d{1,17})~([0-9a-zA-Z]{1,64})$/.exec(text)
  if (place?.[1] && place[2]) return { micros: place[1], id: place[2] }
  const [form, snapshot = '', upTo, xid, micros, id, ...rest] = text.split('~')
  if (form === 'v' && isSnapshot(snapshot) && rest.length === 0) {
    if (upTo === undefined) return { snapshot }
    if (isSnapshot(upTo) && /^\d{1,20}$/.test(xid ?? '') && micros && id) {
      const inner = cursorOf(`${micros}~${id}`)
      if ('micros' in inner && xid) return { snapshot, upTo, behind: { ...inner, xid } }
    }
  }
  throw new LandfallError({
    code: 'E_INVALID_REQUEST',
    message: '`after` is not a cursor of this list.',
    hint: 'Take `next` of the page before, or the `id` of a line.',
  })
}
