import { Type, type Static } from '@sinclair/typebox'
import type { Campaign } from '../campaign/campaign.ts'
import { Timestamp } from '../experiment/experiment.ts'
import { CampaignId, CampaignName, headerProperties } from '../campaign/manifest.ts'
import { CampaignState, stateOf } from '../campaign/campaign-state.ts'
import { Progress, progressOf } from './progress.ts'
import { ref, StringEnum } from '../schema.ts'
import { compareTimes } from '../timestamp.ts'

/** A campaign in a list: all of it but its experiments, and how far it has come. */
export const CampaignSummary = Type.Object(
  {
    ...headerProperties,
    state: CampaignState,
    progress: ref(Progress),
  },
  { $id: 'CampaignSummary', additionalProperties: false, description: 'A campaign without its experiments' },
)

/** A campaign whose file cannot be trusted, so that nothing of it is known but the name of the file. */
export const CorruptCampaign = Type.Object(
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
    additionalProperties: false,
    description: "A campaign whose file cannot be trusted. Its name is its id, its times are the file's",
  },
)

export type CampaignSummary = Static<typeof CampaignSummary>
export type CorruptCampaign = Static<typeof CorruptCampaign>
export type ListedCampaign = CampaignSummary | CorruptCampaign

export const CAMPAIGN_SORTS = ['-updated_at', 'created_at', 'campaign_name'] as const

export interface CampaignQuery {
  readonly state?: CampaignState
  /** Substring of the name, whatever its case. */
  readonly name?: string
  /** Labels that must all be there with these values. */
  readonly labels: readonly (readonly [string, string])[]
  readonly sort: (typeof CAMPAIGN_SORTS)[number]
  readonly limit: number
  /** Where the page before ended. */
  readonly after?: PagePosition
}

/** The last campaign of a page: its value in the sort order, and its id, which orders equal ones. */
export interface PagePosition {
  readonly key: string
  readonly campaign_id: string
}

export interface CampaignPage {
  readonly campaigns: readonly ListedCampaign[]
  /** Where to go on; null at the end. */
  readonly next: PagePosition | null
}

export function summaryOf(campaign: Campaign): CampaignSummary {
  return { ...campaign.header, state: stateOf(campaign), progress: progressOf(campaign) }
}

/**
 * One page of the campaigns that match. A position is a value and not an index, so that campaigns that come and go
 * between two pages shift nothing; with `-updated_at` one that changes meanwhile moves to the front.
 */
export function pageOfCampaigns(
  all: Iterable<Campaign | CorruptCampaign>,
  { sort, limit, after, ...filter }: CampaignQuery,
): CampaignPage {
  const order = ORDERS[sort]
  const position = (one: Campaign | CorruptCampaign): PagePosition => {
    const fields = fieldsOf(one)
    return { key: fields[SORT_KEYS[sort]], campaign_id: fields.campaign_id }
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

const SORT_KEYS = { '-updated_at': 'updated_at', created_at: 'created_at', campaign_name: 'campaign_name' } as const

const ORDERS: Record<CampaignQuery['sort'], (a: PagePosition, b: PagePosition) => number> = {
  '-updated_at': (a, b) => compareTimes(b.key, a.key) || compareText(a.campaign_id, b.campaign_id),
  created_at: (a, b) => compareTimes(a.key, b.key) || compareText(a.campaign_id, b.campaign_id),
  campaign_name: (a, b) => compareText(a.key, b.key) || compareText(a.campaign_id, b.campaign_id),
}

function matches(
  one: Campaign | CorruptCampaign,
  { state, name, labels }: Pick<CampaignQuery, 'state' | 'name' | 'labels'>,
): boolean {
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
