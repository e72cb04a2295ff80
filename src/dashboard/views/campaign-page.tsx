import { useEffect, useState } from 'preact/hooks'
import { CampaignFeed } from '../live/campaign-feed.ts'
import { whole } from '../model/format.ts'
import { Empty } from '../parts/empty.tsx'
import { go, linkTo, type Query, route, type View, VIEWS } from '../route.ts'
import { CampaignHeader } from './campaign-header.tsx'
import { ExperimentDrawer } from './experiment-drawer.tsx'
import { FailuresView } from './failures-view.tsx'
import { GridView } from './grid-view.tsx'
import { PageTop } from './page-top.tsx'
import { TimelineView } from './timeline-view.tsx'
import type { ViewProps } from './view-props.ts'
import { WorkersView } from './workers-view.tsx'

const TITLES: Readonly<Record<View, string>> = {
  failures: 'Failures',
  grid: 'Grid',
  timeline: 'Timeline',
  workers: 'Workers',
}

export function CampaignPage({ campaignId }: { readonly campaignId: string }) {
  const [feed] = useState(() => new CampaignFeed(campaignId))
  useEffect(() => () => feed.follower.stop(), [feed])
  const name = feed.progress.value?.campaign_name ?? campaignId
  useEffect(() => {
    document.title = `${name} · campaignd`
  }, [name])
  return (
    <>
      <PageTop>
        <span aria-hidden="true">/</span>
        <a href="#/">Campaigns</a>
      </PageTop>
      <main class="page">
        <Content feed={feed} />
      </main>
    </>
  )
}

function Content({ feed }: { readonly feed: CampaignFeed }) {
  const problem = feed.follower.problem.value
  const progress = feed.progress.value
  if (problem !== null || feed.gone.value !== null) {
    return (
      <>
        <h1 class="alone">{progress?.campaign_name ?? feed.campaignId}</h1>
        <Empty title={problem?.title ?? (feed.gone.value === 'deleted' ? 'Deleted' : 'Corrupt')}>
          <p>{problem?.message ?? GONE_TEXTS[feed.gone.value ?? 'deleted']}</p>
          <p class="row">
            {problem !== null && <a href={`problems/${problem.code}`}>What this means</a>}{' '}
            <a href="#/">All campaigns</a>
          </p>
        </Empty>
      </>
    )
  }
  if (progress === null) return <p class="placeholder">Loading the campaign …</p>
  return (
    <>
      <CampaignHeader feed={feed} progress={progress} />
      <Views feed={feed} failed={progress.counts.failed} />
    </>
  )
}

const GONE_TEXTS = {
  deleted: 'The campaign was deleted while this page was open.',
  corrupt: 'Its file is corrupt. It is left unchanged; the list of campaigns says why.',
} as const

function Views({ feed, failed }: { readonly feed: CampaignFeed; readonly failed: number }) {
  const at = route.value
  const [first] = useState<View>(failed > 0 ? 'failures' : 'grid')
  if (at.page !== 'campaign') return null
  const { campaignId, query } = at
  const view = at.view ?? first
  // Failures come first once there are any.
  const order = failed > 0 ? VIEWS : VIEWS.toSorted((a, b) => Number(a === 'failures') - Number(b === 'failures'))
  const props: ViewProps = {
    feed,
    query,
    change: (changes) => go({ ...at, view, query: { ...query, ...changes } }, 'exp' in changes ? 'push' : 'replace'),
  }
  const shared: Query = query['exp'] === undefined ? {} : { exp: query['exp'] }
  return (
    <>
      <nav class="views" aria-label="Views">
        {order.map((one) => (
          <a
            key={one}
            href={linkTo({ page: 'campaign', campaignId, view: one, query: one === view ? query : shared })}
            aria-current={one === view ? 'page' : undefined}
          >
            {TITLES[one]}
            {one === 'failures' && (
              <span class={failed > 0 ? 'badge bad number' : 'badge number'}>{whole(failed)}</span>
            )}
            {one === 'workers' && <span class="badge number">{whole(feed.progress.value?.counts.running ?? 0)}</span>}
          </a>
        ))}
      </nav>
      <ViewOf view={view} {...props} />
      <ExperimentDrawer {...props} />
    </>
  )
}

function ViewOf({ view, ...props }: ViewProps & { readonly view: View }) {
  if (props.feed.experiments.value === null) return <p class="placeholder">Loading the experiments …</p>
  switch (view) {
    case 'failures':
      return <FailuresView {...props} />
    case 'grid':
      return <GridView {...props} />
    case 'timeline':
      return <TimelineView {...props} />
    case 'workers':
      return <WorkersView {...props} />
  }
}
