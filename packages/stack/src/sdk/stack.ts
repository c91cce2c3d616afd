import type { PlatformName } from '../manifest/names.ts'
import type { Definition } from './definition.ts'
import type { AnyInput } from './input.ts'

export interface StackOptions {
  resources: readonly Definition[]
  /** Where the product can be installed. Each resource must have an equivalent on each of them. */
  platforms: readonly PlatformName[]
  inputs?: Readonly<Record<string, AnyInput>>
}

const mark = Symbol.for('landfall.stack.v1')

/** A product: its resources, where it can be installed, and what is asked for each installation. */
export class Stack {
  readonly name: string
  readonly options: StackOptions
  /** Known by mark, not by class, because a project may hold its own copy of this package. */
  readonly [mark] = true

  constructor(name: string, options: StackOptions) {
    this.name = name
    this.options = options
  }

  static is(value: unknown): value is Stack {
    return typeof value === 'object' && value !== null && mark in value
  }
}
