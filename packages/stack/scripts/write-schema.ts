import { mkdirSync, writeFileSync } from 'node:fs'
import { manifestJsonSchema } from '../src/manifest/json-schema.ts'

const folder = new URL('../schema/', import.meta.url)
mkdirSync(folder, { recursive: true })
writeFileSync(new URL('manifest.v1.json', folder), `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`)
