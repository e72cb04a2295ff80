import { type Static, Type } from '@sinclair/typebox'
import type { Campaign } from '../campaign/campaign.ts'
import { CampaignState, stateOf } from '../campaign/campaign-state.ts'
import { CampaignId, CampaignName, headerProperties } from '../campaign/manifest.ts'
import { Timestamp } from '../experiment/experiment.ts'
import { ref, StrictObject, StringEnum } from '../schema.ts'
import { compareTimes } from '../timestamp.ts'
import { Progress, progressOf } from './progress.ts'

export const CampaignSummary = StrictObject(
  { ...headerProperties, state: CampaignState, progress: ref(Progress) },
  { $id: 'CampaignSummary', description: 'A campaign without its experiments' },
)

export const CorruptCampaign = StrictObject(
  {
    campaign_id: CampaignId,
    campaign_name: CampaignName,
    created_at: Timestamp,
    updated_at: Timestamp,
    state: StringEnum(['corrupt'], { description: 'Always corrupt' }),
    reason: Type.String({
      description: 'Why the file cannot be trusted',
      examples: ['not JSON: it was cut short or written by two at once'],
    }),
  },
  {
    $id: 'CorruptCampaign',
    description: "A campaign whose file cannot be trusted. Its name is its id, its times are the file's",
  },
)

export type CampaignSummary = Static<typeof CampaignSummary>
export type CorruptCampaign = Static<typeof CorruptCampaign>
export type ListedCampaign = CampaignSummary | CorruptCampaign

export const CAMPAIGN_SORTS = ['-updated_at', 'created_at', 'campaign_name'] as const

export interface CampaignQuery {
  readonly state?: CampaignState
  /** Substring of the name, in any case. */
  readonly name?: string
  /** Labels that a campaign must have, with their values. */
  readonly labels: readonly (readonly [string, string])[]
  readonly sort: (typeof CAMPAIGN_SORTS)[number]
  readonly limit: number
  /** The end of the previous page. */
  readonly after?: PagePosition
}

/** The last campaign of a page: its sort key, and its id, which orders equal keys. */
export interface PagePosition {
  readonly key: string
  readonly campaign_id: string
}

export interface CampaignPage {
  readonly campaigns: readonly ListedCampaign[]
  /** Where the next page begins; null at the end. */
  readonly next: PagePosition | null
}

function summaryOf(campaign: Campaign): CampaignSummary {
  return { ...campaign.header, state: stateOf(campaign), progress: progressOf(campaign) }
}

/**
 * One page of the campaigns that match. A position is a key and not an index: campaigns that are created or deleted between
 * two pages shift nothing; with `-updated_at` one that changes meanwhile moves to the front.
 */
export function pageOfCampaigns(
  all: Iterable<Campaign | CorruptCampaign>,
  { sort, limit, after, ...filter }: CampaignQuery,
): CampaignPage {
  const { key, compare } = ORDERS[sort]
  const order = (a: PagePosition, b: PagePosition) => compare(a.key, b.key) || compareText(a.campaign_id, b.campaign_id)
  const position = (one: Campaign | CorruptCampaign): PagePosition => {
    const fields = fieldsOf(one)
    return { key: fields[key], campaign_id: fields.campaign_id }
  }
  const found = [...all]
    .filter((one) => matches(one, filter))
    .map((one) => ({ one, at: position(one) }))
    .filter(({ at }) => after === undefined || order(at, after) > 0)
    .sort((a, b) => order(a.at, b.at))
  const page = found.slice(0, limit)
  return {
    campaigns: page.map(({ one }) => ('header' in one ? summaryOf(one) : one)),
    next: found.length > limit ? (page.at(-1)?.at ?? null) : null,
  }
}

const ORDERS = {
  '-updated_at': { key: 'updated_at', compare: (a: string, b: string) => compareTimes(b, a) },
  created_at: { key: 'created_at', compare: compareTimes },
  campaign_name: { key: 'campaign_name', compare: compareText },
} as const satisfies Record<CampaignQuery['sort'], unknown>

type Filter = Pick<CampaignQuery, 'state' | 'name' | 'labels'>

function matches(one: Campaign | CorruptCampaign, { state, name, labels }: Filter): boolean {
  const fields = fieldsOf(one)
  if (name !== undefined && !fields.campaign_name.toLowerCase().includes(name.toLowerCase())) return false
  if (state !== undefined && state !== ('header' in one ? stateOf(one) : one.state)) return false
  return labels.every(([key, value]) => 'labels' in fields && fields.labels[key] === value)
}

function fieldsOf(one: Campaign | CorruptCampaign): Campaign['header'] | CorruptCampaign {
  return 'header' in one ? one.header : one
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
