export * from './remove.ts'
export * from './start.ts'
