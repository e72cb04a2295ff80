import { Type } from '@sinclair/typebox'
import { CampaignManifest, headerProperties } from '../../../domain/campaign/manifest.ts'
import { CampaignDraft } from '../../../domain/operations/draft.ts'
import { MergeResult } from '../../../domain/operations/merge/merge.ts'
import { Described, ref, StrictObject, StringEnum } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { actorOf } from '../../guards/authentication.ts'
import { responses } from '../../openapi/responses.ts'
import { createdReply, manifestReply } from '../../replies/manifest.ts'
import { Header } from '../../requests/header-format.ts'
import { otherFormats } from '../../requests/other-formats.ts'
import { Timezone, timezoneOf } from '../../requests/parameters.ts'
import { wholeManifest } from '../../requests/whole-manifest.ts'

const manifest = ref(CampaignManifest)

const description = 'The same key and campaign_name make the same campaign_id'
const IdempotencyKey = Header({ minLength: 1, maxLength: 255, description })

const CreateQuery = StrictObject({
  timezone: Timezone,
  campaign_id: Type.Optional(
    Described(headerProperties.campaign_id, 'In place of the one in the body: imports it beside another one of its id'),
  ),
  on_exists: Type.Optional(
    StringEnum(['refuse', 'merge'], {
      description:
        'What to do when there is another campaign of the id. `merge`: of each experiment the history that is further ahead stays ' +
        '(completed, then failed or skipped); those that are missing are appended; name, settings and labels stay. Default: refuse',
    }),
  ),
})

const schema = {
  operationId: 'createCampaign',
  tags: ['campaigns'],
  summary: 'Create or import a campaign',
  description:
    'May be repeated: the same id with the same body gets 200 and the current campaign. With an Idempotency-Key so does a call ' +
    'without an id.',
  headers: Type.Object({ 'idempotency-key': Type.Optional(IdempotencyKey) }),
  querystring: CreateQuery,
  body: ref(CampaignDraft),
  response: responses('write', ['campaign-exists', 'campaign-full', 'campaign-corrupt', 'experiment-exists'], {
    200: {
      description: 'It exists, made by this body; or what was merged, with `?on_exists=merge`',
      schema: Type.Unsafe<unknown>({ anyOf: [manifest, ref(MergeResult)] }),
      headers: ['etag'],
    },
    201: { description: 'Created', schema: manifest, headers: ['etag', 'location'] },
  }),
}

export const createCampaign: Route = async (app, dependencies) => {
  const { service, limits } = dependencies
  app.post(
    '/campaigns',
    {
      ...wholeManifest(limits),
      schema,
      preValidation: otherFormats(service.stopping),
    },
    async (request, reply) => {
      const { body, query } = request
      const draft = query.campaign_id === undefined ? body : { ...body, campaign_id: query.campaign_id }
      const options = {
        timezone: timezoneOf(query),
        idempotencyKey: request.headers['idempotency-key'] ?? null,
        actor: actorOf(request),
      }
      const made =
        query.on_exists === 'merge'
          ? await service.campaigns.createOrMerge(draft, options)
          : await service.campaigns.create(draft, options)
      if (!('created' in made)) return made
      const { created, ...committed } = made
      return created ? createdReply(reply, dependencies, committed) : manifestReply(reply, dependencies, committed)
    },
  )
}
