import type { ComponentChildren } from 'preact'
import type { Experiment, PastAttempt } from '../../domain/experiment/experiment.ts'
import { campaignPath } from '../api/calls.ts'
import { apiUrl } from '../api/client.ts'
import { token } from '../api/session.ts'
import { seconds } from '../model/clock.ts'
import { type Row, timeTaken } from '../model/experiment-table.ts'
import { counted, dateTime, duration, orDash, timeOf } from '../model/format.ts'
import { markOf } from '../model/mark.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { MarkLabel } from '../parts/mark-icon.tsx'
import { RetryButton } from '../parts/retry-button.tsx'

interface DetailsProps {
  readonly campaignId: string
  readonly row: Row
}

/** Every field of an experiment, its error in full and its earlier attempts. */
export function ExperimentDetails({ campaignId, row }: DetailsProps) {
  const { experiment } = row
  return (
    <div class="drawer-body">
      <Failure campaignId={campaignId} experiment={experiment} />
      <CurrentAttempt row={row} />
      <Definition experiment={experiment} />
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

function Failure({ campaignId, experiment }: { readonly campaignId: string; readonly experiment: Experiment }) {
  const { error, failure_kind, status } = experiment
  const retry = status === 'failed' && <RetryButton campaignId={campaignId} experiments={[experiment]} label="Retry" />
  if (error === null) return retry === false ? null : <p>{retry}</p>
  return (
    <section>
      <h3>Error{failure_kind === null ? '' : `: ${failure_kind}`}</h3>
      <pre tabIndex={0} class="error">
        {error}
      </pre>
      <p class="row">
        <CopyButton text={error} what="the error" />
        {retry}
      </p>
    </section>
  )
}

function CurrentAttempt({ row }: { readonly row: Row }) {
  const { experiment, start, end } = row
  const { attempt, retry_count } = experiment
  return (
    <section>
      <h3>Current attempt</h3>
      <dl class="fields">
        <Field name="Attempt">
          {attempt}
          {retry_count > 0 && ` (${retry_count === 1 ? '1 retry' : `${retry_count} retries`})`}
        </Field>
        <Field name="Worker">{orDash(experiment.worker)}</Field>
        <Field name="Started">{dateTime(start)}</Field>
        <Field name="Ended">{dateTime(end)}</Field>
        <Field name="Took">{duration(timeTaken(row, seconds.value * 1000))}</Field>
        <Field name="Failure kind">{orDash(experiment.failure_kind)}</Field>
        <Field name="Lease">{leaseOf(experiment)}</Field>
        <Field name="Result">
          <code>{orDash(experiment.result_path)}</code>
        </Field>
      </dl>
    </section>
  )
}

function Definition({ experiment }: { readonly experiment: Experiment }) {
  return (
    <section>
      <h3>Definition</h3>
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
  if (lease === null) return status === 'running' ? 'none: never marked as lost' : '–'
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
