import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { encodeManifest } from '../../../domain/formats/manifest-json.ts'
import { encodeForPythonTool, PythonToolManifest } from '../../../domain/formats/python-tool-manifest.ts'
import { ref, StringEnum } from '../../../domain/schema.ts'
import type { RouteDependencies } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { entityTag, isKnown } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { CampaignParams, IfNoneMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'

const format = StringEnum(['llenergymeasure'], {
  description: 'Keys, layout and naive times of the Python tool, instead of ours',
})

const schema = {
  operationId: 'getCampaign',
  tags: ['campaigns'],
  summary: 'The manifest, byte for byte as it is committed',
  params: CampaignParams,
  headers: IfNoneMatch,
  querystring: Type.Object({ format: Type.Optional(format), timezone: Timezone }, { additionalProperties: false }),
  response: responses({
    success: {
      200: {
        description: 'The manifest',
        schema: Type.Unsafe<unknown>({ anyOf: [ref(CampaignManifest), ref(PythonToolManifest)] }),
        headers: ['etag'],
      },
      304: { description: 'As you know it', schema: null },
    },
    kind: 'read',
    problems: ['campaign-not-found', 'campaign-corrupt'],
  }),
}

export const getCampaign: FastifyPluginAsyncTypebox<RouteDependencies> = async (app, { service }) => {
  app.get('/campaigns/:campaign_id', { config: { role: 'read' }, schema }, async (request, reply) => {
    const timezone = timezoneOf(request.query)
    const { campaign, encoded } = await service.campaigns.read(request.params.campaign_id)
    if (isKnown(request, reply, entityTag(campaign.header))) return undefined
    if (request.query.format !== undefined)
      return jsonReply(reply, encodeForPythonTool(campaign.toManifest(), timezone))
    return jsonReply(reply, encoded?.whole ?? encodeManifest(campaign))
  })
}
