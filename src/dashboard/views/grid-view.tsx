import { useComputed } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { ExperimentTable, Row } from '../model/experiment-table.ts'
import { counted, whole } from '../model/format.ts'
import { type GridLayout, layGrid } from '../model/grid-layout.ts'
import { isMark } from '../model/mark.ts'
import { Empty } from '../parts/empty.tsx'
import { listOf } from '../route.ts'
import { GridBox } from './grid-box.tsx'
import type { ViewProps } from './view-props.ts'

export function GridView({ feed, query, change }: ViewProps) {
  const state = query['state'] ?? ''
  const text = query['config'] ?? ''
  const isFiltered = state !== '' || text !== ''
  const table = useComputed(() => feed.experiments.value?.table ?? null).value
  const layoutVersion = useComputed(() => feed.experiments.value?.table.layoutVersion).value
  // Without a filter a change of state moves nothing, so the layout is kept.
  const edition = isFiltered ? feed.experiments.value : null
  const isShown = useMemo(() => filterOf(state, text), [state, text])
  const layout = useMemo(
    () => (table === null ? null : layGrid(table.rows, isShown)),
    [table, layoutVersion, isShown, edition],
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
          {matchText(table, isShown, isFiltered, layout)}
        </p>
        {isFiltered && (
          <button type="button" onClick={() => change({ state: '', config: '' })}>
            Show all
          </button>
        )}
      </div>
      {layout.lines.length === 0 ? (
        <Empty title={table.rows.length === 0 ? 'There are no experiments yet' : 'No experiment matches'} />
      ) : (
        <GridBox feed={feed} query={query} change={change} layout={layout} isShown={isShown} />
      )}
    </section>
  )
}

function filterOf(state: string, text: string): (row: Row) => boolean {
  const marks = new Set(listOf(state).filter(isMark))
  const part = text.toLowerCase()
  return ({ mark, experiment }) =>
    (marks.size === 0 || marks.has(mark)) &&
    (part === '' ||
      `${experiment.config_name}\n${experiment.backend}\n${experiment.exp_id}`.toLowerCase().includes(part))
}

function matchText(
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
