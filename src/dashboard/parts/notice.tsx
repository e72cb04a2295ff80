import { signal } from '@preact/signals'
import type { ApiProblem } from '../api/problem.ts'

interface Notice {
  readonly kind: 'done' | 'failed'
  readonly text: string
}

/** The outcome of the last action. */
const notice = signal<Notice | null>(null)

const SHOWN_FOR = 8000
let timer: ReturnType<typeof setTimeout> | undefined

function show(next: Notice): void {
  clearTimeout(timer)
  notice.value = next
  timer = setTimeout(() => (notice.value = null), SHOWN_FOR)
}

export function notify(text: string): void {
  show({ kind: 'done', text })
}

/** Says why an action failed. The service's own message names the role that is missing. */
export function notifyFailure(what: string, problem: ApiProblem): void {
  show({ kind: 'failed', text: `${what}. ${problem.message}` })
}

export function NoticeLine() {
  const shown = notice.value
  return (
    <div class="notice-line" role="status">
      {shown !== null && (
        <p class={`notice ${shown.kind}`}>
          <span>{shown.text}</span>
          <button type="button" class="quiet" aria-label="Close" onClick={() => (notice.value = null)}>
            ×
          </button>
        </p>
      )}
    </div>
  )
}
