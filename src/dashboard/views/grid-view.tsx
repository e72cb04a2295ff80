import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { effect, useComputed } from '@preact/signals'
import { GridCanvas, type GridPlace } from '../canvas/grid-canvas.ts'
import { serverNow } from '../model/clock.ts'
import { timeTaken, type ExperimentTable, type Row } from '../model/experiment-table.ts'
import { counted, duration, whole } from '../model/format.ts'
import { headline } from '../model/failure-groups.ts'
import { layGrid, type GridLayout } from '../model/grid-layout.ts'
import { isMark } from '../model/mark.ts'
import { Empty } from '../parts/empty.tsx'
import { makeTooltip } from '../parts/tooltip.ts'
import { listed } from '../route.ts'
import type { ViewProps } from './campaign-page.tsx'

export function GridView({ feed, query, change }: ViewProps) {
  const state = query['state'] ?? ''
  const text = query['config'] ?? ''
  const isFiltered = state !== '' || text !== ''
  const table = useComputed(() => feed.experiments.value?.table ?? null).value
  const arrangement = useComputed(() => feed.experiments.value?.table.arrangement).value
  // Without a filter a change of state moves nothing: it is drawn without asking what stands where.
  const edition = isFiltered ? feed.experiments.value : null
  const isShown = useMemo(() => filterOf(state, text), [state, text])
  const layout = useMemo(
    () => (table === null ? null : layGrid(table.rows, isShown)),
    [table, arrangement, isShown, edition],
  )
  if (table === null || layout === null) return null
  return (
    <section aria-label="Grid">
      <div class="toolbar">
        <label>
          <span>Config</span>
          <input
            type="search"
            name="config"
            placeholder="Part of a config, backend or id"
            value={text}
            onInput={(event) => change({ config: event.currentTarget.value })}
          />
        </label>
        <p class="found" role="status">
          {foundText(table, isShown, isFiltered, layout)}
        </p>
        {isFiltered && (
          <button type="button" onClick={() => change({ state: '', config: '' })}>
            Show all
          </button>
        )}
      </div>
      {layout.lines.length === 0 ? (
        <Empty title="No experiment matches" />
      ) : (
        <GridBox feed={feed} query={query} change={change} layout={layout} isShown={isShown} />
      )}
    </section>
  )
}

function filterOf(state: string, text: string): (row: Row) => boolean {
  const marks = new Set(listed(state).filter(isMark))
  const part = text.toLowerCase()
  return ({ mark, experiment }) =>
    (marks.size === 0 || marks.has(mark)) &&
    (part === '' ||
      `${experiment.config_name}\n${experiment.backend}\n${experiment.exp_id}`.toLowerCase().includes(part))
}

function foundText(
  table: ExperimentTable,
  isShown: (row: Row) => boolean,
  isFiltered: boolean,
  { lines, columns }: GridLayout,
): string {
  const configs = lines.filter(({ kind }) => kind === 'config').length
  const what = `${counted(configs, 'config')} × ${counted(columns.length, 'cycle')}`
  if (!isFiltered) return what
  return `${whole(table.rows.filter(isShown).length)} of ${counted(table.rows.length, 'experiment')}`
}

interface GridBoxProps extends ViewProps {
  readonly layout: GridLayout
  readonly isShown: (row: Row) => boolean
}

/**
 * The canvas and its ears: one listener of each kind for all squares, one tooltip. For the keyboard and screen readers it
 * is a grid of which only the cell is there at which the cursor is.
 */
function GridBox({ feed, query, change, layout, isShown }: GridBoxProps) {
  const host = useRef<HTMLDivElement>(null)
  const canvas = useRef<GridCanvas | null>(null)
  const [focus, setFocus] = useState<GridPlace | null>(null)
  const [hasFocus, setHasFocus] = useState(false)
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
        const byBackend = feed.progress.value?.by_backend ?? {}
        canvas.current?.show({ table, layout, byBackend, isShown, focus: hasFocus ? focus : null, openId })
      }),
    [feed, layout, isShown, focus, hasFocus, openId],
  )

  useEffect(() => {
    const box = host.current
    if (box === null) return
    const tooltip = makeTooltip()
    const onMove = (event: MouseEvent) => {
      const { x, y } = canvas.current?.scrolled.at(event) ?? { x: 0, y: 0 }
      const place = canvas.current?.hit(x, y) ?? null
      const row = place === null ? null : (canvas.current?.rowAt(place) ?? null)
      const label = row === null ? (canvas.current?.labelAt(x, y) ?? null) : null
      box.classList.toggle('on-square', row !== null)
      if (row !== null) tooltip.show(describe(row), event.clientX, event.clientY)
      else if (label !== null) tooltip.show([label], event.clientX, event.clientY)
      else tooltip.hide()
    }
    box.addEventListener('mousemove', onMove)
    box.addEventListener('mouseleave', tooltip.hide)
    box.addEventListener('scroll', tooltip.hide, { passive: true })
    return () => {
      box.removeEventListener('mousemove', onMove)
      box.removeEventListener('mouseleave', tooltip.hide)
      box.removeEventListener('scroll', tooltip.hide)
      tooltip.remove()
    }
  }, [])

  const open = (place: GridPlace | null) => {
    const row = place === null ? null : (canvas.current?.rowAt(place) ?? null)
    if (row !== null) change({ exp: row.experiment.exp_id })
  }
  const onClick = (event: MouseEvent) => {
    const { x, y } = canvas.current?.scrolled.at(event) ?? { x: 0, y: 0 }
    const place = canvas.current?.hit(x, y) ?? null
    if (place !== null) setFocus(place)
    open(place)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      open(focus)
      return
    }
    const next = move(layout, focus, event.key)
    if (next === null) return
    event.preventDefault()
    setFocus(next)
    canvas.current?.reveal(next)
  }
  const at = focus !== null && cellAt(layout, focus) !== null ? focus : firstCell(layout)
  // Told anew as it changes while the cursor is there, and not for each change elsewhere.
  const edition = hasFocus ? feed.experiments.value : feed.experiments.peek()
  const row = at === null || edition === null ? null : rowOf(edition.table, layout, at)
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
      onFocus={() => {
        if (focus === null) setFocus(firstCell(layout))
        setHasFocus(true)
      }}
      onBlur={() => setHasFocus(false)}
    >
      <div class="visually-hidden" role="row" aria-rowindex={(at?.line ?? 0) + 1}>
        <span id="grid-cell" role="gridcell" aria-colindex={(at?.place ?? 0) + 1}>
          {row === null ? 'No experiment' : describe(row).join(', ')}
        </span>
      </div>
    </div>
  )
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

function cellAt(layout: GridLayout, { line, place }: GridPlace): number | null {
  const found = layout.lines[line]
  return found?.kind === 'config' ? (found.cells.get(place) ?? null) : null
}

function rowOf(table: ExperimentTable, layout: GridLayout, place: GridPlace): Row | null {
  const position = cellAt(layout, place)
  return position === null ? null : (table.rows[position] ?? null)
}

function firstCell(layout: GridLayout): GridPlace | null {
  const line = layout.lines.findIndex(({ kind }) => kind === 'config')
  return line === -1 ? null : nearest(layout, line, 0)
}

/** The place of the line that is nearest to a place. */
function nearest(layout: GridLayout, line: number, place: number): GridPlace | null {
  const found = layout.lines[line]
  if (found?.kind !== 'config') return null
  let best: number | null = null
  for (const one of found.cells.keys()) {
    if (best === null || Math.abs(one - place) < Math.abs(best - place)) best = one
  }
  return best === null ? null : { line, place: best }
}

/** Where a key leads; null: it leads nowhere. */
function move(layout: GridLayout, from: GridPlace | null, key: string): GridPlace | null {
  if (from === null) return firstCell(layout)
  const line = layout.lines[from.line]
  const places = line?.kind === 'config' ? [...line.cells.keys()].sort((a, b) => a - b) : []
  const at = (place: number | undefined) => (place === undefined ? null : { line: from.line, place })
  switch (key) {
    case 'ArrowLeft':
      return at(places.findLast((place) => place < from.place))
    case 'ArrowRight':
      return at(places.find((place) => place > from.place))
    case 'Home':
      return at(places[0])
    case 'End':
      return at(places.at(-1))
    case 'ArrowUp':
      return vertical(layout, from, -1)
    case 'ArrowDown':
      return vertical(layout, from, 1)
    case 'PageUp':
      return vertical(layout, from, -15)
    case 'PageDown':
      return vertical(layout, from, 15)
    default:
      return null
  }
}

function vertical(layout: GridLayout, from: GridPlace, by: number): GridPlace | null {
  const step = Math.sign(by)
  const target = Math.min(layout.lines.length - 1, Math.max(0, from.line + by))
  for (let line = target; line >= 0 && line < layout.lines.length; line += step) {
    if (layout.lines[line]?.kind === 'config') return nearest(layout, line, from.place)
  }
  return null
}
