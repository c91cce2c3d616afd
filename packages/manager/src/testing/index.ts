export * from './clock.ts'
export * from './database.ts'
export * from './manager.ts'
export * from './vendor.ts'
