import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every error code in the sources has a page in docs/errors, and every page a code: an error's last line points there. */
const root = join(import.meta.dirname, '..')
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'packages'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(
    (file) =>
      /\.(ts|tsx|js)$/.test(file) && !/\.test\.tsx?$|\/(e2e|testing)\//.test(file) && existsSync(join(root, file)),
  )

const used = new Map<string, string>()
for (const file of files) {
  for (const [code] of readFileSync(join(root, file), 'utf8').matchAll(/\bE_[A-Z][A-Z0-9_]+[A-Z0-9]\b/g))
    if (!used.has(code)) used.set(code, file)
}
const pages = new Set(readdirSync(join(root, 'docs', 'errors')).map((name) => name.replace(/\.md$/, '')))
pages.delete('README')
const problems = [
  ...[...used]
    .filter(([code]) => !pages.has(code))
    .map(([code, file]) => `${code} (${file}) has no docs/errors/${code}.md`),
  ...[...pages].filter((code) => !used.has(code)).map((code) => `docs/errors/${code}.md: no source uses the code`),
]
if (problems.length > 0) {
  console.error(problems.sort().join('\n'))
  process.exit(1)
}
console.log(`${used.size} error codes, each with its page`)
