import { useState } from 'preact/hooks'
import type { Progress } from '../../domain/views/progress.ts'
import { patchPaused, type PausePatch } from '../api/calls.ts'
import { asProblem } from '../api/problem.ts'
import type { CampaignFeed } from '../live/campaign-feed.ts'
import { seconds } from '../model/clock.ts'
import { ago, clock, dateTime, duration, percent, rate, timeOf, whole } from '../model/format.ts'
import { countMarks, type Mark, MARKS } from '../model/mark.ts'
import { hasEnded, paceOf, timeLeft } from '../model/pace.ts'
import { CountBar } from '../parts/count-bar.tsx'
import { LiveBadge } from '../parts/live-badge.tsx'
import { MarkIcon } from '../parts/mark-icon.tsx'
import { notify, notifyFailure } from '../parts/notice.tsx'
import { StateTag } from '../parts/state-tag.tsx'
import { linkTo, listOf, route } from '../route.ts'

interface HeaderProps {
  readonly feed: CampaignFeed
  readonly progress: Progress
}

export function CampaignHeader({ feed, progress }: HeaderProps) {
  return (
    <section class="campaign-header" aria-label="Progress">
      <div class="page-title">
        <h1>{progress.campaign_name}</h1>
        <StateTag state={progress.state} />
        <Pause feed={feed} progress={progress} />
        <LiveBadge follower={feed.follower} />
      </div>
      <Figures feed={feed} progress={progress} />
      <CountBar counts={countMarks(progress)} />
      <Legend counts={countMarks(progress)} />
    </section>
  )
}

function Figures({ feed, progress }: HeaderProps) {
  const now = seconds.value * 1000
  const { elapsed, perHour } = paceOf(feed.experiments.value?.table.rows ?? [], progress, now)
  const left = hasEnded(progress) ? null : timeLeft(progress, now)
  const updated = timeOf(progress.updated_at)
  return (
    <dl class="figures">
      <div>
        <dt>Done</dt>
        <dd>
          <span class="number large">{percent(progress.progress_fraction)}</span>
          <span class="number of">
            {whole(progress.counts.completed)} / {whole(progress.total)}
          </span>
        </dd>
      </div>
      <div>
        <dt>Time left</dt>
        <dd>
          <span class="number large">{duration(left)}</span>
          {left !== null && (
            <span class="number of">{left < 0 ? 'longer than usual' : `until ${clock(now + left)}`}</span>
          )}
        </dd>
      </div>
      <div>
        <dt>Elapsed</dt>
        <dd>
          <span class="number large">{duration(elapsed)}</span>
        </dd>
      </div>
      <div>
        <dt>Rate</dt>
        <dd>
          <span class="number large">{rate(perHour)}</span>
        </dd>
      </div>
      <div>
        <dt>Last change</dt>
        <dd title={dateTime(updated)}>
          <span class="number large">{ago(updated, now)}</span>
        </dd>
      </div>
    </dl>
  )
}

/** The counts by state; each is a link that filters the grid. */
function Legend({ counts }: { readonly counts: Readonly<Record<Mark, number>> }) {
  const at = route.value
  if (at.page !== 'campaign') return null
  const isGrid = at.view === 'grid'
  const chosen = isGrid ? listOf(at.query['state']) : []
  const link = (mark: Mark) => {
    const state = chosen.includes(mark) ? chosen.filter((one) => one !== mark) : [...chosen, mark]
    const query = { ...(isGrid ? at.query : {}), state: state.join(',') }
    return linkTo({ ...at, view: 'grid', query })
  }
  return (
    <ul class="legend" aria-label="Experiments by state; each link shows only these in the grid">
      {MARKS.map((mark) => (
        <li key={mark}>
          <a
            class={counts[mark] === 0 ? 'none' : undefined}
            href={link(mark)}
            aria-current={chosen.includes(mark) ? 'true' : undefined}
          >
            <MarkIcon mark={mark} />
            <span class="number strong">{whole(counts[mark])}</span> <span>{mark}</span>
          </a>
        </li>
      ))}
    </ul>
  )
}

function Pause({ feed, progress }: HeaderProps) {
  const [isPending, setPending] = useState(false)
  if (hasEnded(progress)) return null
  const isPaused = progress.state === 'paused'
  const submit = async (patch: PausePatch, done: string) => {
    setPending(true)
    try {
      feed.applyHeader(await patchPaused(feed.campaignId, patch))
      notify(done)
    } catch (error) {
      notifyFailure('Not changed', asProblem(error))
    } finally {
      setPending(false)
    }
  }
  const isCancelling = feed.header.value?.cancel_running === true
  return (
    <span class="actions">
      {isPaused ? (
        <button
          type="button"
          disabled={isPending}
          onClick={() => void submit({ paused: false }, 'Unpaused: experiments can be claimed again.')}
        >
          Unpause
        </button>
      ) : (
        <button
          type="button"
          disabled={isPending}
          title="No experiment is claimed any more; running ones continue"
          onClick={() =>
            void submit({ paused: true }, 'Paused: no experiment is claimed any more. Running ones continue.')
          }
        >
          Pause
        </button>
      )}
      {isPaused && progress.counts.running > 0 && (
        <button
          type="button"
          disabled={isPending || isCancelling}
          onClick={() =>
            void submit(
              { paused: true, cancelRunning: true },
              'Each running experiment is cancelled at its next heartbeat, and goes back to pending.',
            )
          }
        >
          {isCancelling ? 'Cancelling running experiments' : 'Cancel running experiments'}
        </button>
      )}
    </span>
  )
}
