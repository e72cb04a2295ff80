import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { listWorkers, type RunningExperiment, type Workers } from '../api/calls.ts'
import { asProblem } from '../api/problem.ts'
import { seconds } from '../model/clock.ts'
import { counted, dateTime, duration, orDash, timeOf } from '../model/format.ts'
import { Empty } from '../parts/empty.tsx'
import { Note, RunMeter } from '../parts/run-meter.tsx'
import { BenchedWorkers } from './benched-workers.tsx'
import type { ViewProps } from './view-props.ts'

/** Milliseconds between two polls: no event has the age of heartbeats. */
const POLL_INTERVAL = 2000

/** How many rows are drawn at first. */
const ROWS = 300

interface Loaded extends Workers {
  /** When they were loaded, on the browser's monotonic clock in milliseconds: ages grow from there. */
  readonly at: number
}

export function WorkersView({ feed, query, change }: ViewProps) {
  const loaded = useSignal<Loaded | null>(null)
  const failure = useSignal<string | null>(null)
  const limit = useSignal(ROWS)
  useEffect(() => {
    const unmounted = new AbortController()
    void pollWorkers(feed.campaignId, unmounted.signal, (found) => {
      if (typeof found === 'string') failure.value = found
      else {
        loaded.value = { ...found, at: performance.now() }
        failure.value = null
      }
    })
    return () => unmounted.abort()
  }, [feed])
  if (loaded.value === null) return <p class="placeholder">{failure.value ?? 'Loading the workers …'}</p>
  const text = (query['worker'] ?? '').toLowerCase()
  const { workers, benched, at } = loaded.value
  const found = workers
    .filter(({ worker, container }) => `${worker ?? ''}\n${container}`.toLowerCase().includes(text))
    .sort(byWorker)
  return (
    <section aria-label="Workers">
      <div class="toolbar">
        <label>
          <span>Worker</span>
          <input
            type="search"
            name="worker"
            placeholder="Part of a name"
            value={query['worker'] ?? ''}
            onInput={(event) => change({ worker: event.currentTarget.value })}
          />
        </label>
        <p class="found" role="status">
          {failure.value ??
            `${counted(found.length, 'experiment')} held by ${counted(new Set(found.map(({ worker }) => worker)).size, 'worker')}`}
        </p>
      </div>
      <BenchedWorkers
        benched={benched.filter(({ worker }) => worker.toLowerCase().includes(text))}
        open={(exp) => change({ exp })}
      />
      {found.length === 0 ? (
        <Empty title={workers.length === 0 ? 'No experiment is running' : 'No worker matches'} />
      ) : (
        <Table workers={found.slice(0, limit.value)} loadedAt={at} open={(exp) => change({ exp })} />
      )}
      {found.length > limit.value && (
        <p class="more">
          <button type="button" onClick={() => (limit.value += ROWS)}>
            Show more of {found.length - limit.value}
          </button>
        </p>
      )}
    </section>
  )
}

const NAMES = new Intl.Collator('en', { numeric: true })

/** By name, so that a row stays in place when its worker starts the next experiment. */
function byWorker(a: RunningExperiment, b: RunningExperiment): number {
  return NAMES.compare(a.worker ?? '', b.worker ?? '') || NAMES.compare(a.exp_id, b.exp_id)
}

async function pollWorkers(
  campaignId: string,
  signal: AbortSignal,
  onResult: (found: Workers | string) => void,
): Promise<void> {
  for (let isAborted = false; !isAborted; isAborted = signal.aborted) {
    if (document.visibilityState === 'visible') {
      try {
        onResult(await listWorkers(campaignId, signal))
      } catch (error) {
        if (!signal.aborted) onResult(`Could not be loaded: ${asProblem(error).message}`)
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL))
  }
}

interface TableProps {
  readonly workers: readonly RunningExperiment[]
  readonly loadedAt: number
  readonly open: (expId: string) => void
}

function Table({ workers, loadedAt, open }: TableProps) {
  const now = seconds.value * 1000
  const since = (performance.now() - loadedAt) / 1000
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Workers and their experiments">
      <table class="workers">
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">Experiment</th>
            <th scope="col">Config</th>
            <th scope="col">Container</th>
            <th scope="col" class="figure">
              Cycle
            </th>
            <th scope="col" class="figure">
              Attempt
            </th>
            <th scope="col" class="figure">
              Runs for
            </th>
            <th scope="col" class="figure">
              Progress
            </th>
            <th scope="col" class="figure">
              Last heartbeat
            </th>
            <th scope="col">Note</th>
          </tr>
        </thead>
        <tbody>
          {workers.map((one) => (
            <WorkerRow key={one.exp_id} one={one} now={now} since={since} open={open} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface WorkerRowProps extends Pick<TableProps, 'open'> {
  readonly one: RunningExperiment
  /** Milliseconds since 1970. */
  readonly now: number
  /** Seconds since it was loaded. */
  readonly since: number
}

function WorkerRow({ one, now, since, open }: WorkerRowProps) {
  return (
    <tr>
      <th scope="row">{orDash(one.worker)}</th>
      <td>
        <button type="button" class="chip" onClick={() => open(one.exp_id)}>
          {one.exp_id}
        </button>
      </td>
      <td>{one.config_name}</td>
      <td>{one.container}</td>
      <td class="figure number">{one.cycle_index}</td>
      <td class="figure number">{one.attempt}</td>
      <td class="figure number" title={dateTime(timeOf(one.started_at))}>
        {duration(one.started_at === null ? null : Math.max(0, now - (timeOf(one.started_at) ?? now)))}
      </td>
      <td class="figure number">
        <RunMeter expId={one.exp_id} progress={one.progress} />
      </td>
      <td class="figure number">
        <Heartbeat one={one} since={since} />
      </td>
      <td class="note">
        <Note text={one.note} />
      </td>
    </tr>
  )
}

/** The age of the last heartbeat, and how much of the lease that has used up. */
function Heartbeat({ one, since }: { readonly one: RunningExperiment; readonly since: number }) {
  const { seconds_since_heartbeat, lease_seconds } = one
  if (seconds_since_heartbeat === null || lease_seconds === null) return <span class="hint">no lease</span>
  const age = seconds_since_heartbeat + since
  const isLate = age > lease_seconds * 0.6
  return (
    <span class={isLate ? 'heartbeat late' : 'heartbeat'}>
      {isLate && <span class="late-word">late </span>}
      {Math.floor(age)} s<span class="of"> of {lease_seconds} s</span>
      <meter
        min={0}
        max={lease_seconds}
        value={Math.min(age, lease_seconds)}
        aria-label="Part of the lease that is used up"
      />
    </span>
  )
}
