import { useEffect, useRef } from 'preact/hooks'
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
      {row === null ? (
        <p>There is no such experiment in this campaign.</p>
      ) : (
        <ExperimentDetails campaignId={feed.campaignId} settings={feed.header.value?.settings ?? null} row={row} />
      )}
    </div>
  )
}
