import { useEffect, useRef } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import type { Experiment, PastAttempt } from '../../domain/experiment/experiment.ts'
import { apiUrl } from '../api/client.ts'
import { campaignPath } from '../api/calls.ts'
import { token } from '../api/session.ts'
import { seconds } from '../model/clock.ts'
import { timeTaken, type Row } from '../model/experiment-table.ts'
import { counted, dateTime, duration, orDash, timeOf } from '../model/format.ts'
import { markOf } from '../model/mark.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { MarkLabel } from '../parts/mark-icon.tsx'
import type { ViewProps } from './campaign-page.tsx'
import { RetryButton } from './failures-view.tsx'

/** All that is known of one experiment. */
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
        <Body campaignId={feed.campaignId} row={row} />
      )}
    </div>
  )
}

function Body({ campaignId, row }: { readonly campaignId: string; readonly row: Row }) {
  const { experiment } = row
  const now = seconds.value * 1000
  return (
    <div class="drawer-body">
      {experiment.error !== null && (
        <section>
          <h3>Error{experiment.failure_kind === null ? '' : `: ${experiment.failure_kind}`}</h3>
          <pre tabIndex={0} class="error">
            {experiment.error}
          </pre>
          <p class="row">
            <CopyButton text={experiment.error} what="the error" />
            {experiment.status === 'failed' && (
              <RetryButton campaignId={campaignId} experiments={[experiment]} label="Retry" />
            )}
          </p>
        </section>
      )}
      {experiment.error === null && experiment.status === 'failed' && (
        <p>
          <RetryButton campaignId={campaignId} experiments={[experiment]} label="Retry" />
        </p>
      )}
      <section>
        <h3>This attempt</h3>
        <dl class="fields">
          <Field name="Attempt">
            {experiment.attempt}
            {experiment.retry_count > 0 &&
              ` (${experiment.retry_count === 1 ? '1 retry' : `${experiment.retry_count} retries`})`}
          </Field>
          <Field name="Worker">{orDash(experiment.worker)}</Field>
          <Field name="Started">{dateTime(row.start)}</Field>
          <Field name="Ended">{dateTime(row.end)}</Field>
          <Field name="Took">{duration(timeTaken(row, now))}</Field>
          <Field name="Failure kind">{orDash(experiment.failure_kind)}</Field>
          <Field name="Lease">{leaseOf(experiment)}</Field>
          <Field name="Result">
            <code>{orDash(experiment.result_path)}</code>
          </Field>
        </dl>
      </section>
      <section>
        <h3>What it runs</h3>
        <dl class="fields">
          <Field name="Config">{experiment.config_name}</Field>
          <Field name="Cycle">{experiment.cycle_index}</Field>
          <Field name="Backend">{experiment.backend}</Field>
          <Field name="Container">{experiment.container}</Field>
          <Field name="Config path">
            <code>{experiment.config_path}</code>
          </Field>
          <Field name="Config hash">
            <code>{experiment.config_hash}</code>
          </Field>
          <Field name="Revision">{experiment.revision}</Field>
        </dl>
      </section>
      {experiment.attempts.length > 0 && (
        <section>
          <h3>Earlier attempts</h3>
          <ol class="attempts">
            {experiment.attempts.toReversed().map((past) => (
              <Attempt key={past.attempt} past={past} />
            ))}
          </ol>
        </section>
      )}
      <section>
        <h3>From a shell</h3>
        <Curl url={apiUrl(`${campaignPath(campaignId)}/experiments/${encodeURIComponent(experiment.exp_id)}`)} />
      </section>
    </div>
  )
}

function Field({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="number">{children}</dd>
    </div>
  )
}

function leaseOf({ lease, status }: Experiment): string {
  if (lease === null) return status === 'running' ? 'none: it is never taken for lost' : '–'
  return `${counted(lease.seconds, 'second')}${lease.claim_id === null ? '' : `, claim ${lease.claim_id}`}`
}

function Attempt({ past }: { readonly past: PastAttempt }) {
  const [start, end] = [timeOf(past.started_at), timeOf(past.completed_at)]
  const took = start === null || end === null ? null : end - start
  return (
    <li>
      <p class="row">
        <span class="number strong">{past.attempt}</span>
        <MarkLabel mark={markOf(past)} />
        {past.failure_kind !== null && past.failure_kind !== markOf(past) && <span>{past.failure_kind}</span>}
        <span class="hint">{orDash(past.worker)}</span>
      </p>
      <p class="hint number">
        {dateTime(start)}, took {duration(took)}
      </p>
      {past.result_path !== null && (
        <p>
          <code>{past.result_path}</code>
        </p>
      )}
      {past.error !== null && <pre tabIndex={0}>{past.error}</pre>}
    </li>
  )
}

function Curl({ url }: { readonly url: string }) {
  const header = token.value === null ? '' : ' -H "authorization: Bearer $CAMPAIGND_TOKEN"'
  const line = `curl -sS '${url}'${header}`
  return (
    <div class="curl">
      <pre tabIndex={0}>{line}</pre>
      <CopyButton text={line} what="the curl line" />
    </div>
  )
}
