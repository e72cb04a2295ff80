import type { ComponentChildren } from 'preact'
import type { CampaignSettings } from '../../domain/campaign/manifest.ts'
import type { Experiment } from '../../domain/experiment/experiment.ts'
import type { RunProgress } from '../../domain/experiment/run-progress.ts'
import { campaignPath } from '../api/calls.ts'
import { apiUrl } from '../api/client.ts'
import { token } from '../api/session.ts'
import { seconds } from '../model/clock.ts'
import { type Row, timeTaken } from '../model/experiment-table.ts'
import { counted, dateTime, duration, orDash, timeOf } from '../model/format.ts'
import { CopyButton } from '../parts/copy-button.tsx'
import { MetricsTable } from '../parts/metrics-table.tsx'
import { RetryButton } from '../parts/retry-button.tsx'
import { Note, RunMeter } from '../parts/run-meter.tsx'
import { PastAttempts } from './past-attempts.tsx'

interface DetailsProps {
  readonly campaignId: string
  /** Null before they are known. */
  readonly settings: CampaignSettings | null
  readonly row: Row
  /** What its worker tells of the run; null: nothing runs, or nothing was told. */
  readonly told: RunProgress | null
}

/** Every field of an experiment, its error in full and its earlier attempts. */
export function ExperimentDetails({ campaignId, settings, row, told }: DetailsProps) {
  const { experiment } = row
  return (
    <div class="drawer-body">
      <Failure campaignId={campaignId} experiment={experiment} />
      {experiment.metrics !== null && (
        <section>
          <h3>Metrics</h3>
          <MetricsTable metrics={experiment.metrics} />
        </section>
      )}
      <CurrentAttempt settings={settings} row={row} told={told} />
      <Definition experiment={experiment} />
      <PastAttempts attempts={experiment.attempts} />
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

function CurrentAttempt({ settings, row, told }: Omit<DetailsProps, 'campaignId'>) {
  const { experiment, start, end } = row
  const { attempt, retry_count, actor, lease } = experiment
  const { progress = null, note = null } = told ?? {}
  const claimed = timeOf(lease?.claimed_at ?? null)
  const budget = settings === null ? null : budgetOf(experiment, settings)
  return (
    <section>
      <h3>Current attempt</h3>
      <dl class="fields">
        <Field name="Attempt">
          {attempt}
          {retry_count > 0 && ` (${retry_count === 1 ? '1 retry' : `${retry_count} retries`})`}
        </Field>
        {budget !== null && <Field name="Budget">{budget}</Field>}
        <Field name="Worker">{orDash(experiment.worker)}</Field>
        {progress !== null && (
          <Field name="Progress">
            <RunMeter expId={experiment.exp_id} progress={progress} />
          </Field>
        )}
        {note !== null && (
          <Field name="Note">
            <Note text={note} />
          </Field>
        )}
        {actor !== null && <Field name="Changed by">{actor}</Field>}
        {claimed !== null && <Field name="Claimed">{dateTime(claimed)}</Field>}
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

/** What has been used up of what may fail and be run again by itself; null while that is of no interest. */
function budgetOf({ status, failures, losses }: Experiment, settings: CampaignSettings): string | null {
  if (failures + losses === 0 && status !== 'failed') return null
  const { max_retries, max_losses } = settings
  const failed = `${counted(failures, 'failure')} of ${max_retries + 1} allowed`
  return `${failed}, ${counted(losses, 'loss', 'losses')} of ${max_losses + 1}`
}

function leaseOf({ lease, status }: Experiment): string {
  if (lease === null) return status === 'running' ? 'none: never marked as lost' : '–'
  return `${counted(lease.seconds, 'second')}${lease.claim_id === null ? '' : `, claim ${lease.claim_id}`}`
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
