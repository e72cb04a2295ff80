import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { TimelineCanvas } from '../canvas/timeline-canvas.ts'
import type { CampaignFeed, Edition } from '../live/campaign-feed.ts'
import { seconds, serverNow } from '../model/clock.ts'
import { clock, counted, duration } from '../model/format.ts'
import { type Bar, type Lane, LANE_KEYS, lanesOf } from '../model/lanes.ts'
import { endOf } from '../model/time-scale.ts'
import { Empty } from '../parts/empty.tsx'
import { type TooltipContents, useTooltip } from '../parts/tooltip.ts'
import type { ViewProps } from './view-props.ts'

const LARGEST_ZOOM = 64

/** Milliseconds between two layouts of all lanes: a busy campaign changes far more often than people can see. */
const LAYOUT_INTERVAL = 400

export function TimelineView({ feed, query, change }: ViewProps) {
  const key = LANE_KEYS.find((one) => one === query['lane']) ?? 'container'
  const zoom = Math.min(LARGEST_ZOOM, Math.max(1, Number(query['zoom'] ?? 1) || 1))
  const collapse = query['gaps'] !== 'shown'
  const edition = useThrottled(feed.experiments)
  const isRunning = (feed.progress.value?.counts.running ?? 0) > 0
  const second = isRunning ? seconds.value : 0
  const now = useMemo(() => serverNow(), [second, edition])
  const lanes = useMemo(() => lanesOf(edition?.table.rows ?? [], key, now), [edition, key, now])
  return (
    <section aria-label="Timeline">
      <div class="toolbar">
        <label>
          <span>A lane for each</span>
          <select name="lane" value={key} onChange={(event) => change({ lane: event.currentTarget.value })}>
            {LANE_KEYS.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
        <label class="check">
          <input
            type="checkbox"
            name="gaps"
            checked={collapse}
            onChange={(event) => change({ gaps: event.currentTarget.checked ? '' : 'shown' })}
          />
          <span>Shorten idle gaps</span>
        </label>
        <span class="actions">
          <button
            type="button"
            aria-label="Zoom out"
            disabled={zoom <= 1}
            onClick={() => change({ zoom: zoom <= 2 ? '' : String(zoom / 2) })}
          >
            −
          </button>
          <span class="number zoom">{zoom} ×</span>
          <button
            type="button"
            aria-label="Zoom in"
            disabled={zoom >= LARGEST_ZOOM}
            onClick={() => change({ zoom: String(zoom * 2) })}
          >
            +
          </button>
        </span>
      </div>
      {lanes.length === 0 ? (
        <Empty title="Nothing has been started yet" />
      ) : (
        <TimelineBox lanes={lanes} now={now} zoom={zoom} collapse={collapse} query={query} change={change} />
      )}
      <LaneTable lanes={lanes} now={now} laneKey={key} />
    </section>
  )
}

/** The experiments, at most once an interval. The last change is never dropped. */
function useThrottled(experiments: CampaignFeed['experiments']): Edition | null {
  const throttled = useSignal(experiments.peek())
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null
    const unsubscribe = experiments.subscribe(() => {
      timer ??= setTimeout(() => {
        timer = null
        throttled.value = experiments.peek()
      }, LAYOUT_INTERVAL)
    })
    return () => {
      unsubscribe()
      if (timer !== null) clearTimeout(timer)
    }
  }, [experiments])
  return throttled.value
}

interface TimelineBoxProps extends Pick<ViewProps, 'query' | 'change'> {
  readonly lanes: readonly Lane[]
  readonly now: number
  readonly zoom: number
  readonly collapse: boolean
}

function TimelineBox({ lanes, now, zoom, collapse, query, change }: TimelineBoxProps) {
  const host = useRef<HTMLDivElement>(null)
  const canvas = useRef<TimelineCanvas | null>(null)
  const openId = query['exp'] ?? ''

  useEffect(() => {
    if (host.current === null) return
    const made = new TimelineCanvas(host.current)
    canvas.current = made
    return () => {
      made.scrolled.dispose()
      canvas.current = null
    }
  }, [])

  useEffect(() => {
    canvas.current?.show({ lanes, now, zoom, collapse, openId })
  }, [lanes, now, zoom, collapse, openId])

  useTooltip(host, (event) => (canvas.current === null ? null : contentsAt(canvas.current, event, now)))
  const onClick = (event: MouseEvent) => {
    const bar = canvas.current?.barOf(event) ?? null
    if (bar !== null) change({ exp: bar.expId })
  }
  return (
    <div
      ref={host}
      class="canvas-box timeline-box"
      role="region"
      tabIndex={0}
      aria-label="What ran when. The table below has the same as text."
      onClick={onClick}
    />
  )
}

function contentsAt(canvas: TimelineCanvas, event: MouseEvent, now: number): TooltipContents | null {
  const bar = canvas.barOf(event)
  if (bar !== null) return { lines: describe(bar, now), canBeOpened: true }
  const { x, y } = canvas.scrolled.at(event)
  const label = canvas.labelAt(x, y) ?? canvas.gapAt(x)
  return label === null ? null : { lines: [label], canBeOpened: false }
}

function describe(bar: Bar, now: number): string[] {
  const end = endOf(bar, now)
  return [
    `${bar.expId}: ${bar.mark}${bar.attempt > 1 ? `, attempt ${bar.attempt}` : ''}`,
    `${clock(bar.start)} to ${bar.end === null ? 'now' : clock(end)}, ${duration(end - bar.start)}`,
  ]
}

interface LaneTableProps {
  readonly lanes: readonly Lane[]
  readonly now: number
  readonly laneKey: string
}

/** The lanes as a table, for screen readers and for the sums. */
function LaneTable({ lanes, now, laneKey }: LaneTableProps) {
  if (lanes.length === 0) return null
  return (
    <details class="lane-table">
      <summary>As a table</summary>
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Lanes">
        <table>
          <thead>
            <tr>
              <th scope="col">{laneKey}</th>
              <th scope="col" class="figure">
                Attempts
              </th>
              <th scope="col" class="figure">
                Busy for
              </th>
              <th scope="col" class="figure">
                First start
              </th>
              <th scope="col" class="figure">
                Last end
              </th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {lanes.map((lane) => (
              <LaneLine key={lane.name} lane={lane} now={now} />
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

function LaneLine({ lane, now }: { readonly lane: Lane; readonly now: number }) {
  const bars = lane.tracks.flat()
  let [busy, first, last, running] = [0, Infinity, 0, 0]
  for (const bar of bars) {
    busy += endOf(bar, now) - bar.start
    first = Math.min(first, bar.start)
    last = Math.max(last, bar.end ?? 0)
    running += Number(bar.end === null)
  }
  return (
    <tr>
      <th scope="row">{lane.name}</th>
      <td class="figure number">{bars.length}</td>
      <td class="figure number">{duration(busy)}</td>
      <td class="figure number">{clock(first)}</td>
      <td class="figure number">{clock(last === 0 ? null : last)}</td>
      <td>{running === 0 ? 'idle' : `${counted(running, 'experiment')} running`}</td>
    </tr>
  )
}
