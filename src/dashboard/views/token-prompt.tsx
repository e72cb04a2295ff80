import { useEffect, useRef } from 'preact/hooks'
import { enterToken, forgetToken, token, tokenWanted } from '../api/session.ts'

/** Asks for a token when the service needs one. */
export function TokenPrompt() {
  const why = tokenWanted.value
  const dialog = useRef<HTMLDialogElement>(null)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (why === null) return
    dialog.current?.showModal()
    input.current?.focus()
  }, [why])
  if (why === null) return null
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const text = input.current?.value.trim() ?? ''
    if (text !== '') enterToken(text)
  }
  return (
    <dialog
      ref={dialog}
      class="token-prompt"
      aria-labelledby="token-title"
      onCancel={(event) => event.preventDefault()}
    >
      <form onSubmit={submit}>
        <h2 id="token-title">Token</h2>
        <p>{why}</p>
        <label>
          <span>Token of this service</span>
          <input ref={input} type="password" name="token" autocomplete="off" required />
        </label>
        <p class="hint">It is kept for this tab only, and sent to this service only.</p>
        <button type="submit" class="primary">
          Use token
        </button>
      </form>
    </dialog>
  )
}

/** Lets the token be changed where one is in use. */
export function TokenButton() {
  if (token.value === null) return null
  const change = () => {
    forgetToken()
    tokenWanted.value = 'Enter another token.'
  }
  return (
    <button type="button" class="quiet" onClick={change}>
      Change token
    </button>
  )
}
