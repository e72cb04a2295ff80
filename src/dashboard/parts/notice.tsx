import { signal } from '@preact/signals'
import type { ApiProblem } from '../api/problem.ts'

interface Notice {
  readonly kind: 'done' | 'refused'
  readonly text: string
}

/** What became of the last thing that was asked for. */
const notice = signal<Notice | null>(null)

const SHOWN_FOR = 8000
let timer: ReturnType<typeof setTimeout> | undefined

function show(next: Notice): void {
  clearTimeout(timer)
  notice.value = next
  timer = setTimeout(() => (notice.value = null), SHOWN_FOR)
}

export function tell(text: string): void {
  show({ kind: 'done', text })
}

/** Says why something was not done; of who may not do it the service says which role it needs. */
export function tellRefusal(what: string, problem: ApiProblem): void {
  show({ kind: 'refused', text: `${what}. ${problem.message}` })
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
