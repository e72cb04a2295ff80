import { createHash } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { CampaignState } from '../../../domain/campaign/campaign-state.ts'
import { TimeInput } from '../../../domain/experiment/experiment.ts'
import { Described, ref, StrictObject, StringEnum } from '../../../domain/schema.ts'
import {
  CAMPAIGN_SORTS,
  type CampaignQuery,
  type CampaignSort,
  type CampaignTimes,
  ListedCampaign,
} from '../../../domain/views/campaign-list.ts'
import type { Route } from '../../dependencies.ts'
import { NOT_MODIFIED, responses } from '../../openapi/responses.ts'
import { invalidParameter } from '../../problems/problem.ts'
import { isKnown } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { pageToken, readPageToken } from '../../replies/page-token.ts'
import {
  DEFAULT_LIMIT,
  IfNoneMatch,
  NextPageToken,
  pageProperties,
  timeOf,
  Timezone,
  timezoneOf,
} from '../../requests/parameters.ts'

const TIMES = ['created_after', 'created_before', 'updated_after', 'updated_before'] as const

const ListQuery = StrictObject({
  state: Type.Optional(CampaignState),
  name: Type.Optional(Type.String({ maxLength: 512, description: 'Part of the name, in any case' })),
  label: Type.Optional(
    Type.Array(Type.String({ maxLength: 2048 }), {
      maxItems: 20,
      description: 'A label that must be there, as `key:value`; may be repeated',
      examples: [['team:inference']],
    }),
  ),
  archived: Type.Optional(
    StringEnum(['true', 'false', 'any'], {
      description: 'true: only archived ones; any: those too. Default: false, they are left out',
    }),
  ),
  has_failures: Type.Optional(
    Type.Boolean({
      description:
        'True: only those of which an experiment is failed now; false: only the others. Of a corrupt one none is',
    }),
  ),
  created_after: timeParameter('Created then or later'),
  created_before: timeParameter('Created earlier, not then'),
  updated_after: timeParameter('Last changed then or later'),
  updated_before: timeParameter('Last changed earlier, not then'),
  timezone: Timezone,
  sort: Type.Optional(
    StringEnum(CAMPAIGN_SORTS, {
      description:
        'Order; with `-` the greatest, newest or last first, and equal ones by campaign_id. The priority of a corrupt one ' +
        'is 0. Default: -updated_at',
    }),
  ),
  ...pageProperties,
})

const CampaignList = StrictObject({
  campaigns: Type.Array(ref(ListedCampaign), { description: 'In the order that was asked for' }),
  next_page_token: NextPageToken,
})

/** Of a page of one order: in another one it is no position. */
function positionOf(sort: CampaignSort) {
  return StrictObject({ sort: Type.Literal(sort), key: Type.String(), campaign_id: Type.String() })
}

const schema = {
  operationId: 'listCampaigns',
  tags: ['campaigns'],
  summary: 'Find campaigns',
  headers: IfNoneMatch,
  querystring: ListQuery,
  response: responses('read', [], {
    200: { description: 'A page of campaigns', schema: CampaignList, headers: ['etag'] },
    304: NOT_MODIFIED,
  }),
}

export const listCampaigns: Route = async (app, { service }) => {
  app.get('/campaigns', { config: { role: 'read' }, schema }, async (request, reply) => {
    const query = campaignQuery(request.query)
    const { campaigns, next } = await service.campaigns.list(query)
    const next_page_token = pageToken(next === null ? null : { sort: query.sort, ...next })
    const body = JSON.stringify({ campaigns, next_page_token })
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    return isKnown(request, reply, tag) ? undefined : jsonReply(reply, body)
  })
}

type Given = typeof ListQuery.static

function campaignQuery({
  label = [],
  sort = '-updated_at',
  limit = DEFAULT_LIMIT,
  page_token,
  archived = 'false',
  state,
  name,
  has_failures,
  ...times
}: Given): CampaignQuery {
  const after = page_token === undefined ? null : readPageToken(page_token, positionOf(sort))
  return {
    ...(state === undefined ? {} : { state }),
    ...(name === undefined ? {} : { name }),
    ...(has_failures === undefined ? {} : { has_failures }),
    ...(archived === 'any' ? {} : { archived: archived === 'true' }),
    ...readTimes(times),
    labels: label.map(readLabel),
    ...{ sort, limit },
    ...(after === null ? {} : { after: { key: after.key, campaign_id: after.campaign_id } }),
  }
}

function timeParameter(description: string) {
  return Type.Optional(Described(TimeInput, `${description}: ${TimeInput.description ?? ''}`))
}

function readTimes({ timezone, ...times }: Pick<Given, 'timezone' | (typeof TIMES)[number]>): CampaignTimes {
  const zone = timezoneOf(timezone === undefined ? {} : { timezone })
  return Object.fromEntries(
    TIMES.flatMap((name) => {
      const text = times[name]
      return text === undefined ? [] : [[name, timeOf(name, text, zone)] as const]
    }),
  )
}

function readLabel(label: string): [string, string] {
  const colon = label.indexOf(':')
  if (colon === -1) throw invalidParameter('query', 'label', `is ${JSON.stringify(label)}, but must be key:value`)
  return [label.slice(0, colon), label.slice(colon + 1)]
}
