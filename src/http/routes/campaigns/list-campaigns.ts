import { createHash } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { CampaignState } from '../../../domain/campaign/campaign-state.ts'
import { ref, StrictObject, StringEnum } from '../../../domain/schema.ts'
import { CAMPAIGN_SORTS, type CampaignQuery, ListedCampaign } from '../../../domain/views/campaign-list.ts'
import type { Route } from '../../dependencies.ts'
import { NOT_MODIFIED, responses } from '../../openapi/responses.ts'
import { invalidParameter } from '../../problems/problem.ts'
import { isKnown } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { pageToken, readPageToken } from '../../replies/page-token.ts'
import { DEFAULT_LIMIT, IfNoneMatch, NextPageToken, pageProperties } from '../../requests/parameters.ts'

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
  sort: Type.Optional(StringEnum(CAMPAIGN_SORTS, { description: 'Order. Default: -updated_at, newest first' })),
  ...pageProperties,
})

const CampaignList = StrictObject({
  campaigns: Type.Array(ref(ListedCampaign), { description: 'In the order that was asked for' }),
  next_page_token: NextPageToken,
})

const Position = StrictObject({ key: Type.String(), campaign_id: Type.String() })

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
    const { campaigns, next } = await service.campaigns.list(campaignQuery(request.query))
    const body = JSON.stringify({ campaigns, next_page_token: pageToken(next) })
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    return isKnown(request, reply, tag) ? undefined : jsonReply(reply, body)
  })
}

function campaignQuery({
  label = [],
  sort = '-updated_at',
  limit = DEFAULT_LIMIT,
  page_token,
  ...filter
}: typeof ListQuery.static): CampaignQuery {
  const after = page_token === undefined ? {} : { after: readPageToken(page_token, Position) }
  return { ...filter, labels: label.map(readLabel), sort, limit, ...after }
}

function readLabel(label: string): [string, string] {
  const colon = label.indexOf(':')
  if (colon === -1) throw invalidParameter('query', 'label', `is ${JSON.stringify(label)}, but must be key:value`)
  return [label.slice(0, colon), label.slice(colon + 1)]
}
