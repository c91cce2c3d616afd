/**
 * A page of the docs as HTML, without scripts. Reads the Markdown that these files are written in: headings, paragraphs, lists,
 * tables, fenced code, and `code` and **weight** in a line. Everything else is text. A table's row begins with a code and has it as its anchor.
 */
export function docsPage(markdown: string): string {
  const title = /^# (.+)$/m.exec(markdown)?.[1] ?? 'Landfall'
  const body = blocksOf(markdown).map(blockHtml).join('\n')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · Landfall</title><style>${style}</style></head>
<body><main>
${body}
</main></body></html>
`
}

/** Lines between empty ones; fenced code is one block whatever is in it. */
function blocksOf(markdown: string): string[] {
  return markdown.match(/^```[\s\S]*?^```$|(?:^(?!```).+$\n?)+/gm) ?? []
}

function blockHtml(block: string): string {
  const lines = block.trimEnd().split('\n')
  const first = lines[0] ?? ''
  const heading = /^(#{1,3}) (.+)$/.exec(first)
  if (heading?.[1] && heading[2]) {
    const rest = lines.slice(1).join('\n')
    return `<h${heading[1].length}>${inline(heading[2])}</h${heading[1].length}>${rest === '' ? '' : blockHtml(rest)}`
  }
  if (first.startsWith('```')) return `<pre><code>${escaped(lines.slice(1, -1).join('\n'))}</code></pre>`
  if (first.startsWith('|')) return table(lines)
  if (/^[-*] /.test(first)) return `<ul>${items(lines, /^[-*] /)}</ul>`
  if (/^\d+\. /.test(first)) return `<ol>${items(lines, /^\d+\. /)}</ol>`
  return `<p>${inline(lines.join(' '))}</p>`
}

/** A line that begins no item of its own goes on with the one before. */
function items(lines: readonly string[], mark: RegExp): string {
  const found: string[] = []
  for (const line of lines) {
    if (mark.test(line)) found.push(line.replace(mark, ''))
    else found.push(`${found.pop() ?? ''} ${line.trim()}`)
  }
  return found.map((text) => `<li>${inline(text)}</li>`).join('')
}

function table(lines: readonly string[]): string {
  const [head = [], , ...rows] = lines.map((line) =>
    line
      .replace(/^\|\s*|\s*\|$/g, '')
      .split(/\s*\|\s*/)
      .map((cell) => cell.trim()),
  )
  const body = rows.map((row) => {
    const anchor = /^`([\w-]+)`$/.exec(row[0] ?? '')?.[1]
    const cells = row.map((cell, index) =>
      index === 0 && anchor ? `<td>${linked(anchor)}</td>` : `<td>${inline(cell)}</td>`,
    )
    return `<tr${anchor ? ` id="${anchor}"` : ''}>${cells.join('')}</tr>`
  })
  const titles = head.map((cell) => `<th scope="col">${inline(cell)}</th>`).join('')
  return `<div class="wide"><table><thead><tr>${titles}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`
}

const linked = (anchor: string) => `<a href="#${anchor}"><code>${anchor}</code></a>`

function inline(text: string): string {
  const strong = escaped(text).replace(/\*\*([^*`]+)\*\*/g, '<strong>$1</strong>')
  return strong.replace(/`([^`]+)`/g, (_, code: string) =>
    /^E_[A-Z0-9_]+$/.test(code) ? `<a href="/docs/errors/${code}"><code>${code}</code></a>` : `<code>${code}</code>`,
  )
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string) => text.replace(/[&<>"]/g, (one) => entities[one] ?? one)

const style = `:root{color-scheme:light dark}body{margin:0;font:15px/1.55 system-ui,sans-serif}
main{max-width:860px;margin:0 auto;padding:32px 16px 64px}h1{font-size:24px}h2{font-size:18px;margin-top:32px}
code{font:13px ui-monospace,monospace;background:color-mix(in srgb,currentColor 8%,transparent);padding:1px 4px;border-radius:4px}
pre{overflow-x:auto;padding:12px;background:color-mix(in srgb,currentColor 6%,transparent);border-radius:6px}pre code{background:none;padding:0}
.wide{overflow-x:auto}table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:6px 16px 6px 0;border-top:1px solid color-mix(in srgb,currentColor 15%,transparent)}
td:first-child{white-space:nowrap}tr:target{background:color-mix(in srgb,Highlight 18%,transparent)}`
