export type * from './fleet/types.ts'
export type * from './machine/types.ts'
