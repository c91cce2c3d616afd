// biome-ignore lint/suspicious/noExplicitAny: what is wrapped has any shape
type Method = (this: any, ...args: any[]) => any

/** Replaces a method by one that is given the original; what is not there is left out. */
export function patch(target: object, name: string, wrap: (original: Method) => Method): void {
  const holder = target as Record<string, unknown>
  const original = holder[name]
  if (typeof original === 'function') holder[name] = wrap(original as Method)
}

/** Calls `done` when a call is over, whether it answers at once or by a promise; not when it failed. */
export function finished<T>(result: T, done: () => void): T {
  if (!(result instanceof Promise)) {
    done()
    return result
  }
  return result.then((value) => {
    done()
    return value
  }) as T
}
