import type { Campaign } from '../campaign/campaign.ts'
import { CampaignManifestEntry, type Experiment, type Metrics } from '../experiment/experiment.ts'
import { millisecondsTaken } from '../indexes/durations.ts'
import { isBreak, type LongWork } from '../long-work.ts'

/**
 * Names of metrics that a table may have, each a column. A campaign may have millions of them: to sort them would hold up everybody,
 * and each row would be that long.
 */
export const MAX_METRIC_COLUMNS = 10_000

type Cell = string | number | null
type Column = readonly [name: string, cellOf: (experiment: Experiment) => Cell]

/** The columns of every table. */
const COLUMNS: readonly Column[] = [
  ...(Object.keys(CampaignManifestEntry.properties) as (keyof Experiment)[]).flatMap(columnsOf),
  ['duration_seconds', durationSeconds],
]

/** Experiments of a campaign as a table. */
export interface ExperimentTable {
  readonly campaign: Campaign
  /** 1 at the position of each experiment that is a row. */
  readonly isRow: Uint8Array
  /** The position of each metric's column among those of the metrics, by its name. */
  readonly metrics: ReadonlyMap<string, number>
}

/**
 * A table of the experiments at the positions of `isRow`, with a column for each metric that one of them has.
 * @returns null when these are more than `MAX_METRIC_COLUMNS`
 */
export function* experimentTable(campaign: Campaign, isRow: Uint8Array): LongWork<ExperimentTable | null> {
  const names = new Set<string>()
  let looked = 0
  for (const experiment of rows(campaign, isRow)) {
    for (const name of Object.keys(experiment.metrics ?? {})) names.add(name)
    if (names.size > MAX_METRIC_COLUMNS) return null
    looked += 1
    if (isBreak(looked)) yield
  }
  const metrics = new Map([...names].sort().map((name, column) => [name, column]))
  return { campaign, isRow, metrics }
}

/** Characters from which on a piece is full. */
const PIECE = 32 * 1024

/**
 * The table as CSV (RFC 4180) in pieces, with a header: CRLF behind each row, null as an empty cell, an empty text as `""`. A text
 * that a spreadsheet would take for a formula has an apostrophe before it.
 */
export function* csvPieces({ campaign, isRow, metrics }: ExperimentTable): Generator<string, void> {
  const names = [...COLUMNS.map(([name]) => name), ...Array.from(metrics.keys(), (name) => `metrics.${name}`)]
  let piece = `${names.map(csvCell).join(',')}\r\n`
  for (const experiment of rows(campaign, isRow)) {
    const cells = COLUMNS.map(([, cellOf]) => csvCell(cellOf(experiment)))
    piece += `${cells.join(',')}${metricCells(experiment.metrics, metrics)}\r\n`
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
  }
  yield piece
}

function* rows({ experiments }: Campaign, isRow: Uint8Array): Generator<Experiment, void> {
  for (let at = isRow.indexOf(1); at !== -1; at = isRow.indexOf(1, at + 1)) yield experiments.at(at)
}

function columnsOf(key: keyof Experiment): Column[] {
  if (key === 'attempts' || key === 'metrics') return []
  if (key !== 'lease') return [[key, (experiment) => experiment[key]]]
  return [
    ['lease_seconds', ({ lease }) => lease?.seconds ?? null],
    ['claim_id', ({ lease }) => lease?.claim_id ?? null],
    ['claimed_at', ({ lease }) => lease?.claimed_at ?? null],
  ]
}

function durationSeconds(experiment: Experiment): number | null {
  const taken = millisecondsTaken(experiment)
  return taken === null ? null : taken / 1000
}

/** A comma and a cell for each column. In steps of what the experiment has: it has few of what may be thousands. */
function metricCells(metrics: Metrics | null, columns: ReadonlyMap<string, number>): string {
  const measured = Object.entries(metrics ?? {})
    .map(([name, value]) => ({ column: columns.get(name) ?? 0, value }))
    .sort((a, b) => a.column - b.column)
  let cells = ''
  let done = 0
  for (const { column, value } of measured) {
    cells += `${','.repeat(column + 1 - done)}${value}`
    done = column + 1
  }
  return cells + ','.repeat(columns.size - done)
}

const FORMULA = /^[=+\-@\t]/
const SPECIAL = /[",\r\n]/

function csvCell(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = FORMULA.test(cell) ? `'${cell}` : cell
  return text === '' || SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
