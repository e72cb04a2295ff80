import { Type } from '@sinclair/typebox'
import { CampaignId } from '../../domain/campaign/manifest.ts'
import { ExpId } from '../../domain/experiment/experiment.ts'
import { Nullable, StrictObject } from '../../domain/schema.ts'
import { isTimezone, parseTime } from '../../domain/timestamp.ts'
import { invalidParameter } from '../problems/problem.ts'
import { Header } from './header-format.ts'

export const CampaignParams = StrictObject({ campaign_id: CampaignId })

export const ExperimentParams = StrictObject({ campaign_id: CampaignId, exp_id: ExpId })

export const Timezone = Type.Optional(
  Type.String({
    maxLength: 64,
    description: 'IANA name of the zone of times without an offset. Default: UTC',
    examples: ['Europe/Berlin'],
  }),
)

/** For calls without query parameters: an unknown one is refused, not ignored. */
export const NoQuery = StrictObject({})

export const pageProperties = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'Items. Default: 100', examples: [100] }),
  ),
  page_token: Type.Optional(Type.String({ maxLength: 8192, description: '`next_page_token` of the previous page' })),
}

export const DEFAULT_LIMIT = 100

export const NextPageToken = Nullable(Type.String(), {
  description: 'The `page_token` of the next page; null: this is the last page',
})

/** Without an example: `/docs` would fill it in, and each call from there would get 412. */
const Precondition = Header({
  description: 'Only if the resource of the URL has this ETag, such as `"5f0c1e9a7b3d2468-27"`; otherwise 412',
})
const Condition = Header({
  description: 'Respond with 304 if the resource still has this ETag',
  examples: ['"5f0c1e9a7b3d2468-27"'],
})

/** For writes. */
export const IfMatch = Type.Object({ 'if-match': Type.Optional(Precondition) })

/** For reads. */
export const IfNoneMatch = Type.Object({ 'if-none-match': Type.Optional(Condition) })

/** @throws DomainError `invalid` for a name that is not a time zone */
export function timezoneOf({ timezone = 'UTC' }: { readonly timezone?: string }): string {
  if (timezone !== 'UTC' && !isTimezone(timezone)) {
    throw invalidParameter('query', 'timezone', `is ${JSON.stringify(timezone)}, which is not an IANA time zone`)
  }
  return timezone
}

/**
 * A time of a query, in UTC.
 * @throws DomainError `invalid` when there is no such time
 */
export function timeOf(name: string, text: string, timezone: string): string {
  const time = parseTime(text, { timezone })
  if (time === undefined) throw invalidParameter('query', name, 'is not a time that exists')
  return time
}
