import type { Row } from './experiment-table.ts'

/** Where each experiment is in the grid: a row a config, grouped by backend; a column a cycle. */
export interface GridLayout {
  readonly lines: readonly GridLine[]
  readonly columns: readonly GridColumn[]
  /** Squares from left to right. */
  readonly width: number
}

export type GridLine =
  | { readonly kind: 'backend'; readonly backend: string }
  | {
      readonly kind: 'config'
      readonly backend: string
      readonly config: string
      /** Positions in the campaign by place from left; undefined: none there. */
      readonly cells: ReadonlyMap<number, number>
    }

export interface GridColumn {
  readonly cycle: number
  /** Its first place. */
  readonly from: number
  /** How many places: of a config as many experiments may have the same cycle. */
  readonly span: number
}

/** One cell: a line, and a place from the left. */
export interface GridPlace {
  readonly line: number
  readonly place: number
}

/**
 * Arranges the experiments. (config, cycle) is not unique, so a cycle is as wide as the most experiments that one config
 * has in it: each has a square of its own.
 *
 * @param isShown leaves out lines of which it is true for no experiment
 */
export function layGrid(rows: readonly Row[], isShown: (row: Row) => boolean): GridLayout {
  const configs = new Map<string, Map<string, Map<number, number[]>>>()
  const spans = new Map<number, number>()
  for (const [position, { experiment }] of rows.entries()) {
    const { backend, config_name, cycle_index } = experiment
    const ofBackend = getOrSet(configs, backend, () => new Map<string, Map<number, number[]>>())
    const cycles = getOrSet(ofBackend, config_name, () => new Map<number, number[]>())
    const positions = getOrSet(cycles, cycle_index, () => [])
    positions.push(position)
    spans.set(cycle_index, Math.max(spans.get(cycle_index) ?? 0, positions.length))
  }
  const { columns, width } = placeColumns(spans)
  const from = new Map(columns.map(({ cycle, from }) => [cycle, from]))
  const lines: GridLine[] = []
  for (const [backend, ofBackend] of [...configs].sort(byName)) {
    const shown = [...ofBackend].sort(byName).flatMap(([config, cycles]): GridLine[] => {
      const positions = [...cycles.values()].flat()
      if (!positions.some((position) => isShownAt(rows, position, isShown))) return []
      return [{ kind: 'config', backend, config, cells: cellsOf(cycles, from) }]
    })
    if (shown.length > 0) lines.push({ kind: 'backend', backend }, ...shown)
  }
  return { lines, columns, width }
}

function isShownAt(rows: readonly Row[], position: number, isShown: (row: Row) => boolean): boolean {
  const row = rows[position]
  return row !== undefined && isShown(row)
}

function cellsOf(cycles: ReadonlyMap<number, number[]>, from: ReadonlyMap<number, number>): Map<number, number> {
  const cells = new Map<number, number>()
  for (const [cycle, positions] of cycles) {
    for (const [index, position] of positions.entries()) cells.set((from.get(cycle) ?? 0) + index, position)
  }
  return cells
}

function placeColumns(spans: ReadonlyMap<number, number>): { columns: GridColumn[]; width: number } {
  let width = 0
  const columns = [...spans]
    .sort(([a], [b]) => a - b)
    .map(([cycle, span]) => {
      const from = width
      width += span
      return { cycle, from, span }
    })
  return { columns, width }
}

const NAMES = new Intl.Collator('en', { numeric: true })

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return NAMES.compare(a, b)
}

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
