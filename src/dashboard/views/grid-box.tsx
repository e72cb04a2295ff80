import { effect } from '@preact/signals'
import type { RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { GridCanvas } from '../canvas/grid-canvas.ts'
import type { Edition } from '../live/campaign-feed.ts'
import { serverNow } from '../model/clock.ts'
import { type Row, timeTaken } from '../model/experiment-table.ts'
import { headline } from '../model/failure-groups.ts'
import { duration } from '../model/format.ts'
import { cursorOf, firstCell, move, rowOf } from '../model/grid-cursor.ts'
import type { GridLayout, GridPlace } from '../model/grid-layout.ts'
import { type TooltipContents, useTooltip } from '../parts/tooltip.ts'
import type { ViewProps } from './view-props.ts'

interface GridBoxProps extends ViewProps {
  readonly layout: GridLayout
  readonly isShown: (row: Row) => boolean
}

/**
 * The canvas with one listener of each kind for all squares, and one tooltip. For the keyboard and screen readers it is a
 * grid of which only the cell is there at which the cursor is.
 */
export function GridBox(props: GridBoxProps) {
  const { feed, change, layout } = props
  const host = useRef<HTMLDivElement>(null)
  const [focus, setFocus] = useState<GridPlace | null>(null)
  const [hasFocus, setHasFocus] = useState(false)
  const canvas = useGridCanvas(host, props, hasFocus ? focus : null)
  useTooltip(host, (event) => (canvas.current === null ? null : contentsAt(canvas.current, event)))
  const open = (place: GridPlace | null) => {
    const row = place === null ? null : (canvas.current?.rowAt(place) ?? null)
    if (row !== null) change({ exp: row.experiment.exp_id })
  }
  const onClick = (event: MouseEvent) => {
    const place = canvas.current?.placeOf(event) ?? null
    if (place !== null) setFocus(place)
    open(place)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const isOpening = event.key === 'Enter' || event.key === ' '
    const next = isOpening ? null : move(layout, focus, event.key)
    if (isOpening || next !== null) event.preventDefault()
    if (isOpening) open(focus)
    if (next === null) return
    setFocus(next)
    canvas.current?.reveal(next)
  }
  const onFocus = () => {
    if (focus === null) setFocus(firstCell(layout))
    setHasFocus(true)
  }
  return (
    <div
      ref={host}
      class="canvas-box grid-box"
      role="grid"
      tabIndex={0}
      aria-label="Experiments by config and cycle. Arrow keys move, Enter opens."
      aria-rowcount={layout.lines.length}
      aria-colcount={layout.width}
      aria-activedescendant="grid-cell"
      onClick={onClick}
      onKeyDown={onKeyDown}
      onFocus={onFocus}
      onBlur={() => setHasFocus(false)}
    >
      {/* Read anew as it changes while the cursor is there, and not for each change elsewhere. */}
      <CursorCell layout={layout} focus={focus} edition={hasFocus ? feed.experiments.value : feed.experiments.peek()} />
    </div>
  )
}

/** The canvas of the grid, drawn anew as the experiments change. */
function useGridCanvas(
  host: RefObject<HTMLDivElement | null>,
  { feed, query, layout, isShown }: GridBoxProps,
  focus: GridPlace | null,
): RefObject<GridCanvas | null> {
  const canvas = useRef<GridCanvas | null>(null)
  const openId = query['exp'] ?? ''
  useEffect(() => {
    if (host.current === null) return
    const made = new GridCanvas(host.current)
    canvas.current = made
    return () => {
      made.scrolled.dispose()
      canvas.current = null
    }
  }, [])
  useEffect(
    () =>
      effect(() => {
        const table = feed.experiments.value?.table
        if (table === undefined) return
        const byBackend = feed.progress.value?.by_backend ?? null
        canvas.current?.show({ table, layout, byBackend, isShown, focus, openId })
      }),
    [feed, layout, isShown, focus, openId],
  )
  return canvas
}

interface CursorCellProps {
  readonly layout: GridLayout
  readonly focus: GridPlace | null
  readonly edition: Edition | null
}

/** The one cell that screen readers find. */
function CursorCell({ layout, focus, edition }: CursorCellProps) {
  const at = cursorOf(layout, focus)
  const row = at === null || edition === null ? null : rowOf(edition.table, layout, at)
  return (
    <div class="visually-hidden" role="row" aria-rowindex={(at?.line ?? 0) + 1}>
      <span id="grid-cell" role="gridcell" aria-colindex={(at?.place ?? 0) + 1}>
        {row === null ? 'No experiment' : describe(row).join(', ')}
      </span>
    </div>
  )
}

function contentsAt(canvas: GridCanvas, event: MouseEvent): TooltipContents | null {
  const place = canvas.placeOf(event)
  const row = place === null ? null : canvas.rowAt(place)
  if (row !== null) return { lines: describe(row), canBeOpened: true }
  const { x, y } = canvas.scrolled.at(event)
  const label = canvas.labelAt(x, y)
  return label === null ? null : { lines: [label], canBeOpened: false }
}

/** What the tooltip and screen readers say. */
function describe(row: Row): string[] {
  const { experiment, mark } = row
  const took = timeTaken(row, serverNow())
  const word = mark === 'running' ? 'for' : 'in'
  const kind =
    experiment.failure_kind !== null && experiment.failure_kind !== mark ? ` (${experiment.failure_kind})` : ''
  const lines = [
    `${experiment.exp_id}: ${mark}${kind}${took === null ? '' : ` ${word} ${duration(took)}`}`,
    `${experiment.config_name}, cycle ${experiment.cycle_index}`,
  ]
  if (experiment.worker !== null) lines.push(experiment.worker)
  if (experiment.attempt > 1) lines.push(`attempt ${experiment.attempt}`)
  if (experiment.error !== null) lines.push(headline(experiment.error).slice(0, 160))
  return lines
}
