import type { CampaignFeed } from '../live/campaign-feed.ts'
import type { Query } from '../route.ts'

/** What every view of a campaign works with. */
export interface ViewProps {
  readonly feed: CampaignFeed
  readonly query: Query
  /** Changes the query and stays in the view. */
  readonly change: (changes: Query) => void
}
