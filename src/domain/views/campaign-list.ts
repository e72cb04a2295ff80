import { type Static, type TSchema, Type } from '@sinclair/typebox'
import type { Campaign } from '../campaign/campaign.ts'
import { CAMPAIGN_STATES, type CampaignState, stateOf } from '../campaign/campaign-state.ts'
import { CampaignId, CampaignName, headerProperties } from '../campaign/manifest.ts'
import { Timestamp } from '../experiment/experiment.ts'
import { ref, StrictObject, StringEnum } from '../schema.ts'
import { timeKey } from '../timestamp.ts'
import { Progress, progressOf } from './progress.ts'

const ReadableState = StringEnum(
  CAMPAIGN_STATES.filter((state) => state !== 'corrupt'),
  { description: 'The first that holds, see `state` of a progress' },
)

export const CampaignSummary = StrictObject(
  { ...headerProperties, state: ReadableState, progress: ref(Progress) },
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

/** In a list: told apart by `state`. */
export const ListedCampaign = Type.Unsafe<CampaignSummary | CorruptCampaign>({
  $id: 'ListedCampaign',
  description: 'A campaign in a list, readable or not',
  oneOf: [ref(CampaignSummary), ref(CorruptCampaign)],
  discriminator: {
    propertyName: 'state',
    mapping: Object.fromEntries(
      CAMPAIGN_STATES.map((state) => [state, schemaPath(state === 'corrupt' ? CorruptCampaign : CampaignSummary)]),
    ),
  },
})

function schemaPath({ $id = '' }: TSchema): string {
  return `#/components/schemas/${$id}`
}

export type CampaignSummary = Static<typeof CampaignSummary>
export type CorruptCampaign = Static<typeof CorruptCampaign>
export type ListedCampaign = Static<typeof ListedCampaign>

const SORT_FIELDS = ['updated_at', 'created_at', 'campaign_name', 'priority'] as const

type SortField = (typeof SORT_FIELDS)[number]
/** With `-` the greatest first. */
export type CampaignSort = SortField | `-${SortField}`

export const CAMPAIGN_SORTS: readonly CampaignSort[] = SORT_FIELDS.flatMap((field) => [`-${field}` as const, field])

/** Instants, RFC 3339 in UTC: after includes its own instant, before does not. */
export interface CampaignTimes {
  readonly created_after?: string
  readonly created_before?: string
  readonly updated_after?: string
  readonly updated_before?: string
}

export interface CampaignQuery extends CampaignTimes {
  readonly state?: CampaignState
  /** Substring of the name, in any case. */
  readonly name?: string
  /** Labels that a campaign must have, with their values. */
  readonly labels: readonly (readonly [string, string])[]
  /** Whether they are archived; left out: either. */
  readonly archived?: boolean
  /** Whether an experiment of theirs is failed now; left out: either. */
  readonly has_failures?: boolean
  readonly sort: CampaignSort
  readonly limit: number
  /** The end of the previous page. */
  readonly after?: PagePosition
}

/** The last campaign of a page: its sort key, a text of the order that is asked for, and its id, which orders equal keys. */
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
  const { keyOf, direction } = orderOf(sort)
  const order = (a: PagePosition, b: PagePosition) =>
    direction * compareText(a.key, b.key) || compareText(a.campaign_id, b.campaign_id)
  const position = (one: Campaign | CorruptCampaign): PagePosition => {
    const fields = fieldsOf(one)
    return { key: keyOf(fields), campaign_id: fields.campaign_id }
  }
  const matches = matcher(filter)
  const found = [...all]
    .filter(matches)
    .map((one) => ({ one, at: position(one) }))
    .filter(({ at }) => after === undefined || order(at, after) > 0)
    .sort((a, b) => order(a.at, b.at))
  const page = found.slice(0, limit)
  return {
    campaigns: page.map(({ one }) => ('header' in one ? summaryOf(one) : one)),
    next: found.length > limit ? (page.at(-1)?.at ?? null) : null,
  }
}

type Fields = Campaign['header'] | CorruptCampaign

const KEYS: Readonly<Record<SortField, (fields: Fields) => string>> = {
  updated_at: ({ updated_at }) => timeKey(updated_at),
  created_at: ({ created_at }) => timeKey(created_at),
  campaign_name: ({ campaign_name }) => campaign_name,
  priority: (fields) => numberKey('settings' in fields ? fields.settings.priority : 0),
}

function orderOf(sort: CampaignSort) {
  const isDescending = sort.startsWith('-')
  return { keyOf: KEYS[sort.replace('-', '') as SortField], direction: isDescending ? -1 : 1 }
}

/** A text of the order of the numbers: none that is negative, and all of the same length. */
function numberKey(number: number): string {
  return String(number + 1_000_000).padStart(7, '0')
}

type Filter = Omit<CampaignQuery, 'sort' | 'limit' | 'after'>

function matcher({ state, name, labels, archived, has_failures, ...times }: Filter) {
  const part = name?.toLowerCase()
  const isCreated = isWithin(times.created_after, times.created_before)
  const isUpdated = isWithin(times.updated_after, times.updated_before)
  return (one: Campaign | CorruptCampaign): boolean => {
    const fields = fieldsOf(one)
    if (part !== undefined && !fields.campaign_name.toLowerCase().includes(part)) return false
    if (state !== undefined && state !== ('header' in one ? stateOf(one) : one.state)) return false
    if (archived !== undefined && archived !== ('archived' in fields && fields.archived)) return false
    if (has_failures !== undefined && has_failures !== hasFailures(one)) return false
    if (!isCreated(fields.created_at) || !isUpdated(fields.updated_at)) return false
    return labels.every(([key, value]) => 'labels' in fields && fields.labels[key] === value)
  }
}

function hasFailures(one: Campaign | CorruptCampaign): boolean {
  return 'header' in one && one.counts.by_status.failed > 0
}

function isWithin(after: string | undefined, before: string | undefined): (time: string) => boolean {
  const from = after === undefined ? null : timeKey(after)
  const end = before === undefined ? null : timeKey(before)
  return (time) => {
    const key = timeKey(time)
    return (from === null || key >= from) && (end === null || key < end)
  }
}

function fieldsOf(one: Campaign | CorruptCampaign): Fields {
  return 'header' in one ? one.header : one
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
