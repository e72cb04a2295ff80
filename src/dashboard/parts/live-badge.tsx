import type { Follower, Liveness } from '../live/follower.ts'
import { clock } from '../model/format.ts'

const WORDS: Readonly<Record<Liveness, string>> = {
  loading: 'loading',
  live: 'live',
  polling: 'polling',
  reconnecting: 'reconnecting',
  over: 'not followed',
}

/** Whether what is shown follows what happens, and as of when. */
export function LiveBadge({ follower }: { readonly follower: Follower }) {
  const liveness = follower.liveness.value
  return (
    <p class={`live-badge ${liveness}`}>
      <span class="dot" aria-hidden="true" />
      <span class="live-word" role="status">
        {WORDS[liveness]}
      </span>
      <span class="as-of">
        as of <time class="number">{clock(follower.asOf.value)}</time>
      </span>
    </p>
  )
}
