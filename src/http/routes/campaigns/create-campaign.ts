import { Type } from '@sinclair/typebox'
import { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { encodeManifest } from '../../../domain/formats/manifest-json.ts'
import { CampaignDraft } from '../../../domain/operations/draft.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { entityTag } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { Header } from '../../requests/header-format.ts'
import { Timezone, timezoneOf } from '../../requests/parameters.ts'

const manifest = ref(CampaignManifest)

const description = 'The same key makes the same campaign_id'
const IdempotencyKey = Header({ minLength: 1, maxLength: 255, description })

const schema = {
  operationId: 'createCampaign',
  tags: ['campaigns'],
  summary: 'Create or import a campaign',
  description:
    'May be repeated: the same id with the same definition gets 200 and the current campaign. With an Idempotency-Key so ' +
    'does a call without an id.',
  headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
  querystring: StrictObject({ timezone: Timezone }),
  body: ref(CampaignDraft),
  response: responses('write', ['campaign-exists', 'campaign-corrupt'], {
    200: { description: 'It exists, with this definition', schema: manifest, headers: ['etag'] },
    201: { description: 'Created', schema: manifest, headers: ['etag', 'location'] },
  }),
}

export const createCampaign: Route = async (app, { service, limits }) => {
  app.post(
    '/campaigns',
    { bodyLimit: limits.bodyLimit, config: { role: 'admin', bodyLimitSetting: 'CAMPAIGND_BODY_LIMIT' }, schema },
    async ({ body, headers, query }, reply) => {
      const { campaign, created } = await service.campaigns.create(body, {
        timezone: timezoneOf(query),
        idempotencyKey: headers['idempotency-key'] ?? null,
      })
      if (created) reply.code(201).header('location', `/v1/campaigns/${campaign.header.campaign_id}`)
      return jsonReply(reply.header('etag', entityTag(campaign.header)), encodeManifest(campaign))
    },
  )
}
