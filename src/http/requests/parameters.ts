import { Type } from '@sinclair/typebox'
import { ExpId } from '../../domain/experiment/experiment.ts'
import { CampaignId } from '../../domain/campaign/manifest.ts'
import { Nullable } from '../../domain/schema.ts'
import { isTimezone } from '../../domain/timestamp.ts'
import { invalidParameter } from '../problems/problem.ts'

export const CampaignParams = Type.Object({ campaign_id: CampaignId }, { additionalProperties: false })

export const ExperimentParams = Type.Object({ campaign_id: CampaignId, exp_id: ExpId }, { additionalProperties: false })

export const Timezone = Type.Optional(
  Type.String({
    maxLength: 64,
    description: 'IANA name of the zone of times without an offset. Default: UTC',
    examples: ['Europe/Berlin'],
  }),
)

/** For calls that take none, so that one that was meant to do something is not passed over. */
export const NoQuery = Type.Object({}, { additionalProperties: false })

export const pageProperties = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'How many at most. Default: 100', examples: [100] }),
  ),
  page_token: Type.Optional(Type.String({ maxLength: 4096, description: '`next_page_token` of the page before' })),
}

export const DEFAULT_LIMIT = 100

export const NextPageToken = Nullable(Type.String(), {
  description: 'To be given as `page_token` for the next page; null: this is the last',
})

/** Without an example: `/docs` would fill it in, and whoever tries a call there would get 412. */
const Precondition = Type.String({
  description: 'Only if the resource of the URL has this ETag, such as `"5f0c1e9a7b3d2468-27"`; else 412',
})
const Condition = Type.String({
  description: 'Answer 304 if the resource still has this ETag',
  examples: ['"5f0c1e9a7b3d2468-27"'],
})

/** For calls that change something. */
export const IfMatch = Type.Object({ 'if-match': Type.Optional(Precondition) })

/** For calls that read. */
export const IfNoneMatch = Type.Object({ 'if-none-match': Type.Optional(Condition) })

/** @throws DomainError `invalid` for a name that is no time zone */
export function timezoneOf({ timezone = 'UTC' }: { readonly timezone?: string }): string {
  if (timezone !== 'UTC' && !isTimezone(timezone)) {
    throw invalidParameter('query', 'timezone', `is ${JSON.stringify(timezone)}, which is no IANA time zone`)
  }
  return timezone
}
