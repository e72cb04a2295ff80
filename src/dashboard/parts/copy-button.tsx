import { useState } from 'preact/hooks'

/** Copies a text. Browsers close the clipboard to pages without TLS: there the text has to be selected. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [label, setLabel] = useState('Copy')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setLabel('Copied')
    } catch {
      setLabel('Select the text')
    }
    setTimeout(() => setLabel('Copy'), 2000)
  }
  return (
    <button type="button" class="small" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      {label}
    </button>
  )
}
