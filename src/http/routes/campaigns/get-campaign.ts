import { Type } from '@sinclair/typebox'
import { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { PythonToolManifest, pythonToolPieces } from '../../../domain/formats/python-tool-manifest.ts'
import { StudyManifest, studyPieces } from '../../../domain/formats/study-manifest.ts'
import { ref, StrictObject, StringEnum } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { NOT_MODIFIED, OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { download } from '../../replies/download.ts'
import { entityTag, isKnown } from '../../replies/entity-tag.ts'
import { manifestReply } from '../../replies/manifest.ts'
import { jsonPieces } from '../../replies/pieces.ts'
import { CampaignParams, IfNoneMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'

const format = StringEnum(['llenergymeasure', 'llenergymeasure-study'], {
  description:
    'Keys and layout of the Python tool, instead of ours: its CampaignManifest, with naive times, or its StudyManifest 2.0',
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
      schema: Type.Unsafe<unknown>({ anyOf: [ref(CampaignManifest), ref(PythonToolManifest), ref(StudyManifest)] }),
      headers: ['etag'],
    },
    304: NOT_MODIFIED,
  }),
}

export const getCampaign: Route = async (app, dependencies) => {
  const { campaigns } = dependencies.service
  app.get('/campaigns/:campaign_id', { config: { role: 'read' }, schema }, async (request, reply) => {
    const timezone = timezoneOf(request.query)
    const committed = await campaigns.read(request.params.campaign_id)
    if (isKnown(request, reply, entityTag(committed.campaign.header))) return undefined
    if (request.query.format === undefined) return manifestReply(reply, dependencies, committed)
    const { campaign } = committed
    const pieces =
      request.query.format === 'llenergymeasure' ? pythonToolPieces(campaign, timezone) : studyPieces(campaign)
    const body = jsonPieces(reply, pieces)
    return download(reply, dependencies, committed, body)
  })
}
