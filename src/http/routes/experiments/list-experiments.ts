import { Type } from '@sinclair/typebox'
import { CampaignManifestEntry, definitionProperties, Status, Worker } from '../../../domain/experiment/experiment.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import { type ExperimentQuery, pageOfExperiments } from '../../../domain/views/experiment-list.ts'
import { whenThere } from '../../../repository/maybe-promise.ts'
import { inTurns } from '../../../runtime/turns.ts'
import type { Route } from '../../dependencies.ts'
import { NOT_MODIFIED, OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { invalidParameter } from '../../problems/problem.ts'
import { entityTag, isKnown } from '../../replies/entity-tag.ts'
import { experimentItems, jsonReply, listJson } from '../../replies/json.ts'
import { PageCache } from '../../replies/page-cache.ts'
import { pageToken, startOfPage } from '../../replies/page-token.ts'
import { CampaignParams, DEFAULT_LIMIT, IfNoneMatch, NextPageToken, pageProperties } from '../../requests/parameters.ts'

const ListQuery = StrictObject({
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
})

const ExperimentList = StrictObject({
  experiments: Type.Array(ref(CampaignManifestEntry), { description: 'In manifest order' }),
  next_page_token: NextPageToken,
})

/** Bytes of pages that are kept: a hundred of a hundred experiments. */
const PAGES = 8 * 1024 * 1024

const REMAINING = ['pending', 'failed'] as const
const NOT_REMAINING = ['running', 'completed', 'skipped'] as const

const schema = {
  operationId: 'listExperiments',
  tags: ['experiments'],
  summary: 'Find experiments',
  params: CampaignParams,
  headers: IfNoneMatch,
  querystring: ListQuery,
  response: responses('read', OF_CAMPAIGN, {
    200: { description: 'A page of experiments', schema: ExperimentList, headers: ['etag'] },
    304: NOT_MODIFIED,
  }),
}

export const listExperiments: Route = async (app, { service }) => {
  const pages = new PageCache(PAGES)

  app.get('/campaigns/:campaign_id/experiments', { config: { role: 'read' }, schema }, async (request, reply) => {
    const query = experimentQuery(request.query)
    const committed = await service.campaigns.read(request.params.campaign_id)
    const tag = entityTag(committed.campaign.header)
    if (isKnown(request, reply, tag)) return undefined
    const page = await pages.get(`${tag} ${JSON.stringify(query)}`, () =>
      whenThere(
        inTurns(pageOfExperiments(committed.campaign, query), service.stopping, 'response'),
        ({ positions, next }) => {
          const rest = { next_page_token: pageToken(next) }
          return listJson('experiments', experimentItems(committed, positions), rest)
        },
      ),
    )
    return jsonReply(reply, page)
  })
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
  const from = startOfPage(page_token)
  return { ...(statuses === undefined ? {} : { statuses }), equal, limit, from }
}
