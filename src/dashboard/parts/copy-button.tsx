import { useState } from 'preact/hooks'

/** Copies a text. Where the clipboard is closed to pages without TLS, the text is there to be selected. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [word, setWord] = useState('Copy')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setWord('Copied')
    } catch {
      setWord('Select it')
    }
    setTimeout(() => setWord('Copy'), 2000)
  }
  return (
    <button type="button" class="small" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      {word}
    </button>
  )
}
