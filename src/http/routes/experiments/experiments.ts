import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { appendExperiments } from '../../../domain/operations/append.ts'
import { ExperimentDraft, MAX_EXPERIMENTS } from '../../../domain/operations/draft.ts'
import { definitionProperties, Status, Worker, type Experiment } from '../../../domain/experiment/experiment.ts'
import { pageOfExperiments, type ExperimentQuery } from '../../../domain/views/experiment-list.ts'
import { headerProperties } from '../../../domain/campaign/manifest.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { campaignTag, ifMatch, isKnown } from '../../replies/entity-tag.ts'
import { jsonReply, listJson } from '../../replies/json.ts'
import { pageToken, readPageToken } from '../../replies/page-token.ts'
import { invalidParameter } from '../../problems/problem.ts'
import { PageCache } from '../../replies/page-cache.ts'
import {
  CampaignParams,
  DEFAULT_LIMIT,
  IfMatch,
  IfNoneMatch,
  NextPageToken,
  pageProperties,
  Timezone,
  timezoneOf,
} from '../../requests/parameters.ts'

const ListQuery = Type.Object(
  {
    status: Type.Optional(
      Type.Array(Status, { maxItems: 5, description: 'Any of these; may be repeated', examples: [['failed']] }),
    ),
    backend: Type.Optional(definitionProperties.backend),
    container: Type.Optional(definitionProperties.container),
    config_name: Type.Optional(definitionProperties.config_name),
    cycle_index: Type.Optional(definitionProperties.cycle_index),
    worker: Type.Optional(Worker),
    remaining: Type.Optional(
      Type.Boolean({ description: 'True: only those still to run, pending and failed; false: only the others' }),
    ),
    ...pageProperties,
  },
  { additionalProperties: false },
)

const experiments = Type.Array(Type.Unsafe<Experiment>(Type.Ref('CampaignManifestEntry')), {
  description: 'In manifest order',
})

const ExperimentList = Type.Object({ experiments, next_page_token: NextPageToken }, { additionalProperties: false })

const Appended = Type.Object(
  { experiments, revision: headerProperties.revision },
  { additionalProperties: false, description: 'The experiments as they stand' },
)

const Append = Type.Object(
  {
    experiments: Type.Array(Type.Unsafe<ExperimentDraft>(Type.Ref('ExperimentDraft')), {
      minItems: 1,
      maxItems: MAX_EXPERIMENTS,
      description: 'To be run after those that are there',
    }),
  },
  { additionalProperties: false, examples: [{ experiments: ExperimentDraft.examples as unknown[] }] },
)

/** Bytes of pages that are kept: a hundred of a hundred experiments. */
const PAGES = 8 * 1024 * 1024

const REMAINING = ['pending', 'failed'] as const
const NOT_REMAINING = ['running', 'completed', 'skipped'] as const

export const experimentsRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (
  app,
  { repository, now, limits },
) => {
  const pages = new PageCache(PAGES)

  app.get(
    '/campaigns/:campaign_id/experiments',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'listExperiments',
        tags: ['experiments'],
        summary: 'Find experiments',
        params: CampaignParams,
        headers: IfNoneMatch,
        querystring: ListQuery,
        response: responses({
          success: {
            200: { description: 'A page of experiments', schema: ExperimentList, headers: ['etag'] },
            304: { description: 'As you know it', schema: null },
          },
          kind: 'read',
          problems: ['campaign-not-found', 'campaign-corrupt'],
        }),
      },
    },
    async (request, reply) => {
      const query = experimentQuery(request.query)
      const { campaign, bytes } = await repository.readDocument(request.params.campaign_id)
      const tag = campaignTag(campaign)
      if (isKnown(request, reply, tag)) return undefined
      const page = pages.get(`${tag} ${JSON.stringify(query)}`, () => {
        const { positions, next } = pageOfExperiments(campaign, query)
        const rest = { next_page_token: next === null ? null : pageToken(next) }
        return listJson('experiments', bytes.list(positions), rest)
      })
      return jsonReply(reply, page)
    },
  )

  app.post(
    '/campaigns/:campaign_id/experiments',
    {
      bodyLimit: limits.bodyLimit,
      config: { role: 'admin' },
      schema: {
        operationId: 'appendExperiments',
        tags: ['experiments'],
        summary: 'Append experiments',
        description: 'May be repeated: experiments that are there with the same definition stay as they stand.',
        params: CampaignParams,
        headers: IfMatch,
        querystring: Type.Object({ timezone: Timezone }, { additionalProperties: false }),
        body: Append,
        response: responses({
          success: {
            200: { description: 'All of them were there already', schema: Appended },
            201: { description: 'Appended', schema: Appended },
          },
          kind: 'write',
          problems: ['campaign-not-found', 'campaign-corrupt', 'experiment-exists', 'precondition-failed'],
        }),
      },
    },
    async (request, reply) => {
      const when = { now: now(), timezone: timezoneOf(request.query) }
      const { created, ...appended } = await repository.update(
        request.params.campaign_id,
        ifMatch(request, campaignTag, (campaign) => {
          const { changes, result } = appendExperiments(campaign, request.body.experiments, when, limits)
          return { changes, result: { ...result, created: changes !== null } }
        }),
      )
      reply.code(created ? 201 : 200)
      return appended
    },
  )
}

function experimentQuery({
  limit = DEFAULT_LIMIT,
  page_token,
  status,
  remaining,
  ...equal
}: typeof ListQuery.static): ExperimentQuery {
  if (status !== undefined && remaining !== undefined) {
    throw invalidParameter('query', 'remaining', 'cannot be given together with status')
  }
  const statuses = remaining === undefined ? status : remaining ? REMAINING : NOT_REMAINING
  const from = page_token === undefined ? 0 : readPageToken(page_token, Type.Integer({ minimum: 0 }))
  return { ...(statuses === undefined ? {} : { statuses }), equal, limit, from }
}
