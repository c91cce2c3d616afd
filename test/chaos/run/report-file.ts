import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Covered } from './cover.ts'

/** One process of one scenario, with the program that it was. */
export interface Row extends Covered {
  /** What was checked out, and what the tree of `packages` was: two commits with the same are the same program. */
  commit: string
  product: string
  /** When it ended, ISO 8601. */
  date: string
  machine: string
}

/** A report for machines that grows run by run, so that a long run can be cut and gone on with. */
export class ReportFile {
  readonly #path: string
  readonly #rows: Map<string, Row>
  readonly #program = { commit: git('rev-parse', '--short=10', 'HEAD'), product: productTree() }

  /** @param kept rows of an earlier run in the same file are kept, else it begins empty */
  constructor(path: string, kept: boolean) {
    this.#path = path
    const rows = kept && existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Row[]) : []
    this.#rows = new Map(rows.map((row) => [`${row.scenario}/${row.victim}`, row]))
  }

  /** Rows of this very program; none where it has changes that no commit has. */
  get ofThisProgram(): Row[] {
    const { product } = this.#program
    return product.endsWith('+') ? [] : [...this.#rows.values()].filter((row) => row.product === product)
  }

  put(covered: Covered): void {
    const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? '?'}, Node ${process.versions.node}`
    const row = { ...covered, ...this.#program, date: new Date().toISOString(), machine }
    this.#rows.set(`${covered.scenario}/${covered.victim}`, row)
    writeFileSync(`${this.#path}.new`, `${JSON.stringify([...this.#rows.values()], null, 1)}\n`)
    renameSync(`${this.#path}.new`, this.#path)
  }
}

function productTree(): string {
  const changed = git('status', '--porcelain', '--', 'packages') !== ''
  return `${git('rev-parse', '--short=10', 'HEAD:packages')}${changed ? '+' : ''}`
}

function git(...argv: string[]): string {
  try {
    return execFileSync('git', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown+'
  }
}
