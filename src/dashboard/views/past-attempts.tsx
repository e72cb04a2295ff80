import type { ClosedBy, PastAttempt } from '../../domain/experiment/experiment.ts'
import { dateTime, duration, orDash, timeOf } from '../model/format.ts'
import { markOf } from '../model/mark.ts'
import { MarkLabel } from '../parts/mark-icon.tsx'
import { MetricsTable } from '../parts/metrics-table.tsx'

const CLOSED_BY: Readonly<Record<ClosedBy, string>> = {
  start: 'started again',
  requeue: 'put back',
  resume: 'resumed',
  retry: 'retried',
  config: 'config changed',
  pause: 'stopped by a pause',
  lease: 'lease ran out',
}

/** The closed attempts of an experiment, newest first. */
export function PastAttempts({ attempts }: { readonly attempts: readonly PastAttempt[] }) {
  if (attempts.length === 0) return null
  return (
    <section>
      <h3>Earlier attempts</h3>
      <ol class="attempts">
        {attempts.toReversed().map((past) => (
          <Attempt key={past.attempt} past={past} />
        ))}
      </ol>
    </section>
  )
}

function Attempt({ past }: { readonly past: PastAttempt }) {
  const { attempt, worker, actor, failure_kind, error, result_path, metrics, closed_by } = past
  const [start, end] = [timeOf(past.started_at), timeOf(past.completed_at)]
  const took = start === null || end === null ? null : end - start
  return (
    <li>
      <p class="row">
        <span class="number strong">{attempt}</span>
        <MarkLabel mark={markOf(past)} />
        {failure_kind !== null && failure_kind !== markOf(past) && <span>{failure_kind}</span>}
        <span class="hint">{orDash(worker)}</span>
      </p>
      <p class="hint number">
        {dateTime(start)}, took {duration(took)}
        {actor !== null && ` · changed by ${actor}`}
        {closed_by !== null && ` · ${CLOSED_BY[closed_by]}`}
      </p>
      {result_path !== null && (
        <p>
          <code>{result_path}</code>
        </p>
      )}
      {metrics !== null && <MetricsTable metrics={metrics} />}
      {error !== null && <pre tabIndex={0}>{error}</pre>}
    </li>
  )
}
