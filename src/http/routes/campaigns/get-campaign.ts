import { Type } from '@sinclair/typebox'
import { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { encodeManifest } from '../../../domain/formats/manifest-json.ts'
import { encodeForPythonTool, PythonToolManifest } from '../../../domain/formats/python-tool-manifest.ts'
import { ref, StrictObject, StringEnum } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { NOT_MODIFIED, OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
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
  querystring: StrictObject({ format: Type.Optional(format), timezone: Timezone }),
  response: responses('read', OF_CAMPAIGN, {
    200: {
      description: 'The manifest',
      schema: Type.Unsafe<unknown>({ anyOf: [ref(CampaignManifest), ref(PythonToolManifest)] }),
      headers: ['etag'],
    },
    304: NOT_MODIFIED,
  }),
}

export const getCampaign: Route = async (app, { service }) => {
  app.get('/campaigns/:campaign_id', { config: { role: 'read' }, schema }, async (request, reply) => {
    const timezone = timezoneOf(request.query)
    const { campaign, encoded } = await service.campaigns.read(request.params.campaign_id)
    if (isKnown(request, reply, entityTag(campaign.header))) return undefined
    if (request.query.format !== undefined)
      return jsonReply(reply, encodeForPythonTool(campaign.toManifest(), timezone))
    return jsonReply(reply, encoded?.whole ?? encodeManifest(campaign))
  })
}
