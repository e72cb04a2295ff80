import type { Follower, Liveness } from '../live/follower.ts'
import { clock } from '../model/format.ts'

const LABELS: Readonly<Record<Liveness, string>> = {
  loading: 'loading',
  live: 'live',
  polling: 'polling',
  reconnecting: 'reconnecting',
  ended: 'not live',
}

/** Whether the page is live, and as of when it is true. */
export function LiveBadge({ follower }: { readonly follower: Follower }) {
  const liveness = follower.liveness.value
  return (
    <p class={`live-badge ${liveness}`}>
      <span class="dot" aria-hidden="true" />
      <span class="live-word" role="status">
        {LABELS[liveness]}
      </span>
      <span class="as-of">
        as of <time class="number">{clock(follower.asOf.value)}</time>
      </span>
    </p>
  )
}
