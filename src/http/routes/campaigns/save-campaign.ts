import { Type } from '@sinclair/typebox'
import type { preValidationAsyncHookHandler } from 'fastify'
import { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { isStudy } from '../../../domain/formats/study-manifest.ts'
import { CampaignDraft } from '../../../domain/operations/draft.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { actorOf } from '../../guards/authentication.ts'
import { responses } from '../../openapi/responses.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { createdReply, manifestReply } from '../../replies/manifest.ts'
import { otherFormats } from '../../requests/other-formats.ts'
import { CampaignParams, IfMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'
import { wholeManifest } from '../../requests/whole-manifest.ts'

const manifest = ref(CampaignManifest)

const force = Type.Boolean({
  description: 'Even where experiments change that are completed, or run under a live lease. Default: false',
})

const schema = {
  operationId: 'saveCampaign',
  tags: ['campaigns'],
  summary: 'Save a whole manifest of the Python tool',
  description:
    'Creates the campaign, or with If-Match sets what the tool knows of it: name, hash, and of each experiment the 13 keys of the ' +
    'tool. Settings, labels, attempts and metrics stay, and what the body lacks is never removed. May be repeated, with the ETag of ' +
    'the response: what is saved already changes nothing.',
  params: CampaignParams,
  headers: IfMatch,
  querystring: StrictObject({ timezone: Timezone, force: Type.Optional(force) }),
  body: ref(CampaignDraft),
  response: responses(
    'write',
    ['campaign-full', 'campaign-corrupt', 'would-lose', 'precondition-required', 'precondition-failed'],
    {
      200: { description: 'The manifest after the change', schema: manifest, headers: ['etag'] },
      201: { description: 'Created', schema: manifest, headers: ['etag', 'location'] },
    },
  ),
}

export const saveCampaign: Route = async (app, dependencies) => {
  const { service, limits } = dependencies
  app.put(
    '/campaigns/:campaign_id',
    {
      ...wholeManifest(limits),
      schema,
      preValidation: withoutIdOfStudy(otherFormats(service.stopping)),
    },
    async (request, reply) => {
      const { params, query, body } = request
      const { created, ...committed } = await service.campaigns.save(params.campaign_id, body, {
        timezone: timezoneOf(query),
        actor: actorOf(request),
        precondition: preconditionOf(request),
        force: query.force === true,
      })
      return created ? createdReply(reply, dependencies, committed) : manifestReply(reply, dependencies, committed)
    },
  )
}

/** The id that a study gets when it is imported is made up from its name: the path says which campaign it is. */
function withoutIdOfStudy(read: preValidationAsyncHookHandler): preValidationAsyncHookHandler {
  return async function (request, reply) {
    const wasStudy = isStudy(request.body)
    await read.call(this, request, reply)
    if (!wasStudy) return
    const { campaign_id: _id, ...draft } = request.body as CampaignDraft
    request.body = draft
  }
}
