/** Gives CommonJS packages in an ESM bundle the `require` they expect for Node's own modules. */
export const esmRequire =
  "import { createRequire as __landfallRequire } from 'node:module';const require = __landfallRequire(import.meta.url);"
