export interface Claim {
  what: string
  held: boolean
  seen: string
}

/** Everything the story says is true, checked as it goes; printed as a table at the end. */
export class Claims {
  readonly all: Claim[] = []

  check(what: string, held: boolean, seen: string): boolean {
    this.all.push({ what, held, seen })
    return held
  }

  get failed(): Claim[] {
    return this.all.filter((claim) => !claim.held)
  }

  table(): string {
    const width = Math.min(76, Math.max(...this.all.map((claim) => claim.what.length)))
    return this.all.map((claim) => `  ${claim.held ? '✓' : '✗'} ${claim.what.padEnd(width)}  ${claim.seen}`).join('\n')
  }
}
