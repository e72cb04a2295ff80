import { useState } from 'preact/hooks'
import type { Experiment } from '../../domain/experiment/experiment.ts'
import { type FailureGroup, groupFailures, headline } from '../model/failure-groups.ts'
import { counted, dateTime, timeOf, whole } from '../model/format.ts'
import { markOf } from '../model/mark.ts'
import { Empty } from '../parts/empty.tsx'
import { MarkIcon } from '../parts/mark-icon.tsx'
import { RetryButton } from '../parts/retry-button.tsx'
import type { ViewProps } from './view-props.ts'

/** How many experiments of a group are listed at first. */
const LISTED = 24

export function FailuresView({ feed, query, change }: ViewProps) {
  const failed = (feed.experiments.value?.table.rows ?? [])
    .map(({ experiment }) => experiment)
    .filter(({ status }) => status === 'failed')
  if (failed.length === 0) {
    return (
      <Empty title="Nothing has failed">
        <p>A failure that was put back to pending is kept among the attempts of its experiment.</p>
      </Empty>
    )
  }
  const kinds = [...new Set(failed.map(({ failure_kind }) => failure_kind ?? 'error'))].sort()
  const kind = query['kind'] ?? ''
  const groups = groupFailures(failed.filter(({ failure_kind }) => kind === '' || (failure_kind ?? 'error') === kind))
  const shown = groups.flatMap(({ experiments }) => experiments)
  return (
    <section aria-label="Failures">
      <div class="toolbar">
        <label>
          <span>Kind</span>
          <select name="kind" value={kind} onChange={(event) => change({ kind: event.currentTarget.value })}>
            <option value="">any</option>
            {kinds.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <p class="found">
          {counted(shown.length, 'failure')} in {counted(groups.length, 'group')}
        </p>
        <RetryButton campaignId={feed.campaignId} experiments={shown} label={`Retry all ${whole(shown.length)}`} />
      </div>
      <ul class="groups">
        {groups.map((group) => (
          <Group key={group.key} group={group} campaignId={feed.campaignId} open={(exp) => change({ exp })} />
        ))}
      </ul>
    </section>
  )
}

interface GroupProps {
  readonly group: FailureGroup
  readonly campaignId: string
  readonly open: (expId: string) => void
}

function Group({ group, campaignId, open }: GroupProps) {
  const [limit, setLimit] = useState(LISTED)
  const { experiments, kind, message, pattern } = group
  const [newest] = experiments
  if (newest === undefined) return null
  const isLong = message.trim() !== headline(message)
  const rest = experiments.length - limit
  return (
    <li class="group">
      <div class="group-head">
        <MarkIcon mark={markOf(newest)} />
        <span class="number group-count">{whole(experiments.length)}</span>
        <div class="group-text">
          <h2>{experiments.length === 1 ? headline(message) : pattern}</h2>
          {experiments.length > 1 && pattern !== headline(message) && (
            <p class="sample">
              <code>{headline(message)}</code>
            </p>
          )}
          <p class="hint">
            {kind} · newest <time>{dateTime(timeOf(newest.completed_at))}</time> · {originOf(experiments)}
          </p>
        </div>
        <RetryButton campaignId={campaignId} experiments={experiments} label="Retry" />
      </div>
      {isLong && (
        <details>
          <summary>{experiments.length === 1 ? 'Full error text' : 'Full error text of the newest'}</summary>
          <pre tabIndex={0}>{message}</pre>
        </details>
      )}
      <ul class="names" aria-label="Experiments">
        {experiments.slice(0, limit).map(({ exp_id, config_name, cycle_index }) => (
          <li key={exp_id}>
            <button
              type="button"
              class="chip"
              title={`${config_name}, cycle ${cycle_index}`}
              onClick={() => open(exp_id)}
            >
              {exp_id}
            </button>
          </li>
        ))}
        {rest > 0 && (
          <li>
            <button type="button" class="quiet" onClick={() => setLimit(limit + 500)}>
              and {whole(rest)} more
            </button>
          </li>
        )}
      </ul>
    </li>
  )
}

/** The backends and configs of a group, in short. */
function originOf(experiments: readonly Experiment[]): string {
  const configs = new Set(experiments.map(({ config_name }) => config_name))
  const backends = new Set(experiments.map(({ backend }) => backend))
  const [config = ''] = configs
  return `${[...backends].sort().join(', ')} · ${configs.size === 1 ? config : counted(configs.size, 'config')}`
}
