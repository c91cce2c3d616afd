import { useEffect, useState } from 'react'
import { docsOf } from '../format/docs.ts'
import { shortDigest } from '../format/words.ts'
import { announce } from './announce.tsx'
import { Icon } from './icon.tsx'

/** Copies a text, and says so. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), 1500)
    return () => clearTimeout(timer)
  }, [done])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setDone(true)
      announce(`${what} copied`)
    } catch {
      announce('The browser did not allow copying; select the text instead.')
    }
  }
  return (
    <button
      type="button"
      className="copy"
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={() => void copy()}
    >
      <Icon name={done ? 'check' : 'copy'} size={14} />
    </button>
  )
}

/** A reason or error code: leads to its page of the docs, and can be copied. */
export function Code({ code }: { code: string }) {
  return (
    <span className="reason-code">
      <a href={docsOf(code)} target="_blank" rel="noreferrer" title="What this code means">
        {code}
      </a>
      <Copy text={code} what="code" />
    </span>
  )
}

/** A digest, shortened for the eye and whole for the clipboard. */
export function DigestText({ digest }: { digest: string }) {
  return (
    <span className="digest" title={digest}>
      {shortDigest(digest)}
      <Copy text={digest} what="digest" />
    </span>
  )
}
