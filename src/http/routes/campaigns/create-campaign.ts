import { Type } from '@sinclair/typebox'
import { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { CampaignDraft } from '../../../domain/operations/draft.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { bodyLimits } from '../../limits.ts'
import { responses } from '../../openapi/responses.ts'
import { manifestReply } from '../../replies/manifest.ts'
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
  response: responses('write', ['campaign-exists', 'campaign-full', 'campaign-corrupt'], {
    200: { description: 'It exists, with this definition', schema: manifest, headers: ['etag'] },
    201: { description: 'Created', schema: manifest, headers: ['etag', 'location'] },
  }),
}

export const createCampaign: Route = async (app, dependencies) => {
  const { service, limits } = dependencies
  app.post(
    '/campaigns',
    {
      bodyLimit: bodyLimits(limits).create,
      config: { role: 'admin', bodyLimitSetting: 'CAMPAIGND_MAX_CAMPAIGN_BYTES' },
      schema,
    },
    async ({ body, headers, query }, reply) => {
      const { created, ...committed } = await service.campaigns.create(body, {
        timezone: timezoneOf(query),
        idempotencyKey: headers['idempotency-key'] ?? null,
      })
      const { campaign_id } = committed.campaign.header
      if (created) reply.code(201).header('location', `/v1/campaigns/${campaign_id}`)
      return manifestReply(reply, dependencies, committed)
    },
  )
}
