import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { encodeManifest } from '../../../domain/formats/manifest-json.ts'
import { CampaignPatch } from '../../../domain/operations/patch-campaign.ts'
import { ref } from '../../../domain/schema.ts'
import type { RouteDependencies } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { entityTag, preconditionOf } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { CampaignParams, IfMatch } from '../../requests/parameters.ts'

const cancel_running = Type.Boolean({
  description:
    'With `paused`: tell the workers that run something to stop, in the answer to their next heartbeat. Default: false',
})

const schema = {
  operationId: 'patchCampaign',
  tags: ['campaigns'],
  summary: 'Change name, settings or labels',
  params: CampaignParams,
  headers: IfMatch,
  querystring: Type.Object({ cancel_running: Type.Optional(cancel_running) }, { additionalProperties: false }),
  body: ref(CampaignPatch),
  response: responses({
    success: {
      200: { description: 'The manifest as it is then', schema: ref(CampaignManifest), headers: ['etag'] },
    },
    kind: 'write',
    problems: ['campaign-not-found', 'campaign-corrupt', 'precondition-failed'],
  }),
}

export const patchCampaign: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { service }) => {
  app.patch('/campaigns/:campaign_id', { config: { role: 'admin' }, schema }, async (request, reply) => {
    const { params, query, body } = request
    const patch = query.cancel_running === true ? withCancel(body) : body
    const campaign = await service.campaigns.patch(params.campaign_id, patch, { precondition: preconditionOf(request) })
    return jsonReply(reply.header('etag', entityTag(campaign.header)), encodeManifest(campaign))
  })
}

function withCancel({ settings, ...patch }: CampaignPatch): CampaignPatch {
  return { ...patch, settings: { ...settings, cancel_running: true } }
}
