import type { ExperimentTable, Row } from './experiment-table.ts'
import type { GridLayout, GridPlace } from './grid-layout.ts'

function cellAt(layout: GridLayout, { line, place }: GridPlace): number | null {
  const found = layout.lines[line]
  return found?.kind === 'config' ? (found.cells.get(place) ?? null) : null
}

export function rowOf(table: ExperimentTable, layout: GridLayout, place: GridPlace): Row | null {
  const position = cellAt(layout, place)
  return position === null ? null : (table.rows[position] ?? null)
}

/** Where the cursor is: the focus while there is a cell, else the first cell. */
export function cursorOf(layout: GridLayout, focus: GridPlace | null): GridPlace | null {
  return focus !== null && cellAt(layout, focus) !== null ? focus : firstCell(layout)
}

export function firstCell(layout: GridLayout): GridPlace | null {
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

/** The cell that a key moves to; null: it moves nowhere. */
export function move(layout: GridLayout, from: GridPlace | null, key: string): GridPlace | null {
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
