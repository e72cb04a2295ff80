import { useEffect, useState } from 'preact/hooks'
import type { CampaignState } from '../../domain/campaign/campaign-state.ts'
import { CampaignListFeed, type ListedRow } from '../live/campaign-list.ts'
import { seconds } from '../model/clock.ts'
import { ago, dateTime, duration, percent, timeOf, whole } from '../model/format.ts'
import { countMarks } from '../model/mark.ts'
import { hasEnded, timeLeft } from '../model/pace.ts'
import { CountBar } from '../parts/count-bar.tsx'
import { Empty } from '../parts/empty.tsx'
import { LiveBadge } from '../parts/live-badge.tsx'
import { StateTag } from '../parts/state-tag.tsx'
import { go, linkTo, type Query } from '../route.ts'
import { PageTop } from './page-top.tsx'

const STATES: readonly CampaignState[] = ['running', 'paused', 'failed', 'idle', 'pending', 'completed', 'corrupt']

/** How many rows are drawn at first. */
const ROWS = 200

export function CampaignListPage({ query }: { readonly query: Query }) {
  const [feed] = useState(() => new CampaignListFeed())
  useEffect(() => () => feed.follower.stop(), [feed])
  useEffect(() => {
    document.title = 'Campaigns · campaignd'
  }, [])
  const rows = feed.rows.value
  const found = rows === null ? null : filterRows(rows, query)
  return (
    <>
      <PageTop />
      <main class="page">
        <div class="page-title">
          <h1>Campaigns</h1>
          <LiveBadge follower={feed.follower} />
        </div>
        <Filters query={query} shown={found?.length ?? null} all={rows?.size ?? null} />
        {feed.follower.problem.value !== null && (
          <Empty title={feed.follower.problem.value.title}>
            <p>{feed.follower.problem.value.message}</p>
          </Empty>
        )}
        {found !== null && <Campaigns found={found} isEmpty={rows?.size === 0} />}
        {found === null && feed.follower.problem.value === null && <p class="placeholder">Loading campaigns …</p>}
      </main>
    </>
  )
}

function filterRows(rows: ReadonlyMap<string, ListedRow>, { state = '', name = '' }: Query): ListedRow[] {
  const part = name.toLowerCase()
  return [...rows.values()]
    .filter((row) => state === '' || row.state === state)
    .filter((row) => part === '' || `${row.campaign_name}\n${row.campaign_id}`.toLowerCase().includes(part))
    .map((row) => ({ row, at: timeOf(row.updated_at) ?? 0 }))
    .sort((a, b) => b.at - a.at || (a.row.campaign_id < b.row.campaign_id ? -1 : 1))
    .map(({ row }) => row)
}

interface FiltersProps {
  readonly query: Query
  readonly shown: number | null
  readonly all: number | null
}

function Filters({ query, shown, all }: FiltersProps) {
  const change = (changes: Query) => go({ page: 'campaigns', query: { ...query, ...changes } }, 'replace')
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>Name</span>
        <input
          type="search"
          name="name"
          placeholder="Part of a name or id"
          value={query['name'] ?? ''}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
      </label>
      <label>
        <span>State</span>
        <select
          name="state"
          value={query['state'] ?? ''}
          onChange={(event) => change({ state: event.currentTarget.value })}
        >
          <option value="">any</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {state}
            </option>
          ))}
        </select>
      </label>
      <p class="found" role="status">
        {shown !== null &&
          all !== null &&
          (shown === all ? `${whole(all)} in all` : `${whole(shown)} of ${whole(all)}`)}
      </p>
    </form>
  )
}

function Campaigns({ found, isEmpty }: { readonly found: readonly ListedRow[]; readonly isEmpty: boolean }) {
  const [limit, setLimit] = useState(ROWS)
  if (isEmpty) {
    return (
      <Empty title="No campaigns yet">
        <p>
          One appears here as soon as it is created: <code>POST v1/campaigns</code>, see the <a href="docs/">API</a>.
        </p>
      </Empty>
    )
  }
  if (found.length === 0) {
    return (
      <Empty title="No campaign matches">
        <p>
          <a href="#/">Show all</a>
        </p>
      </Empty>
    )
  }
  return (
    <>
      <table class="campaigns">
        <thead>
          <tr>
            <th scope="col">Campaign</th>
            <th scope="col">State</th>
            <th scope="col" class="wide">
              Experiments
            </th>
            <th scope="col" class="figure">
              Done
            </th>
            <th scope="col" class="figure">
              Time left
            </th>
            <th scope="col" class="figure">
              Changed
            </th>
          </tr>
        </thead>
        <tbody>
          {found.slice(0, limit).map((row) => (
            <CampaignLine key={row.campaign_id} row={row} />
          ))}
        </tbody>
      </table>
      {found.length > limit && (
        <p class="more">
          <button type="button" onClick={() => setLimit(limit + ROWS)}>
            Show {whole(Math.min(ROWS, found.length - limit))} more of {whole(found.length - limit)}
          </button>
        </p>
      )}
    </>
  )
}

function CampaignLine({ row }: { readonly row: ListedRow }) {
  const now = seconds.value * 1000
  const updated = timeOf(row.updated_at)
  const left = 'reason' in row || hasEnded(row) ? null : timeLeft(row, now)
  const link = linkTo({ page: 'campaign', campaignId: row.campaign_id, view: null, query: {} })
  return (
    <tr>
      <th scope="row">
        <a href={link}>{row.campaign_name}</a>
        {row.campaign_name !== row.campaign_id && <span class="id">{row.campaign_id}</span>}
      </th>
      <td>
        <StateTag state={row.state} />
      </td>
      {'reason' in row ? (
        <td class="wide reason" colSpan={3}>
          {row.reason}
        </td>
      ) : (
        <>
          <td class="wide">
            <CountBar counts={countMarks(row)} isSmall />
          </td>
          <td class="figure number">
            <span class="strong">{percent(row.progress_fraction)}</span>{' '}
            <span class="of">
              {whole(row.counts.completed)} / {whole(row.total)}
            </span>
          </td>
          <td class="figure number eta">
            {left === null ? (
              <span class="unknown">–</span>
            ) : (
              <>
                <span class="eta-word">left </span>
                {duration(left)}
              </>
            )}
          </td>
        </>
      )}
      <td class="figure number changed" title={dateTime(updated)}>
        {ago(updated, now)}
      </td>
    </tr>
  )
}
