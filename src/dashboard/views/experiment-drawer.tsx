import { useEffect, useRef } from 'preact/hooks'
import type { CampaignFeed } from '../live/campaign-feed.ts'
import type { Row } from '../model/experiment-table.ts'
import { MarkLabel } from '../parts/mark-icon.tsx'
import { ExperimentDetails } from './experiment-details.tsx'
import type { ViewProps } from './view-props.ts'

/** Everything about one experiment, beside the view. */
export function ExperimentDrawer({ feed, query, change }: ViewProps) {
  const panel = useRef<HTMLDivElement>(null)
  const expId = query['exp'] ?? ''
  const close = () => change({ exp: '' })
  useEffect(() => {
    if (expId === '') return
    const before = document.activeElement
    panel.current?.focus()
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') close()
    }
    addEventListener('keydown', onKey)
    return () => {
      removeEventListener('keydown', onKey)
      if (before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [expId])
  const table = feed.experiments.value?.table ?? null
  if (expId === '' || table === null) return null
  const row = table.get(expId)
  return (
    <div ref={panel} class="drawer" role="dialog" aria-label={`Experiment ${expId}`} tabIndex={-1}>
      <div class="drawer-head">
        <h2>{expId}</h2>
        {row !== null && <MarkLabel mark={row.mark} />}
        <button type="button" class="quiet close" aria-label="Close" onClick={close}>
          ×
        </button>
      </div>
      {row === null ? <p>There is no such experiment in this campaign.</p> : <Details feed={feed} row={row} />}
    </div>
  )
}

function Details({ feed, row }: { readonly feed: CampaignFeed; readonly row: Row }) {
  const { exp_id, attempt, lease } = row.experiment
  const { liveness, streams, asOf } = feed.follower
  const isRunning = row.mark === 'running' && lease !== null
  // A stream tells only what is new, and polls tell nothing of runs.
  const since = liveness.value === 'polling' ? asOf.value : streams.value
  useEffect(() => {
    if (!isRunning || since === 0) return
    const closed = new AbortController()
    // Without it the drawer shows what is told from now on.
    feed.loadRuns(closed.signal).catch(() => undefined)
    return () => closed.abort()
  }, [feed, exp_id, attempt, isRunning, since])
  const told = isRunning ? feed.runs.value.get(exp_id) : undefined
  return (
    <ExperimentDetails
      campaignId={feed.campaignId}
      settings={feed.header.value?.settings ?? null}
      row={row}
      told={told?.attempt === attempt ? told : null}
    />
  )
}
