import { Type } from '@sinclair/typebox'
import {
  CampaignManifestEntry,
  definitionProperties,
  FailureKind,
  Status,
  Worker,
} from '../../../domain/experiment/experiment.ts'
import { MAX_METRIC_COLUMNS } from '../../../domain/formats/experiments-csv.ts'
import { ref, StrictObject, StringEnum } from '../../../domain/schema.ts'
import { type ExperimentFilter, pageOfExperiments } from '../../../domain/views/experiment-list.ts'
import { whenThere } from '../../../repository/maybe-promise.ts'
import { inTurns } from '../../../runtime/turns.ts'
import type { Route } from '../../dependencies.ts'
import { NOT_MODIFIED, OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { invalidParameter } from '../../problems/problem.ts'
import { csvReply } from '../../replies/csv.ts'
import { csvTag, entityTag, isKnown, varyBy } from '../../replies/entity-tag.ts'
import { experimentItems, jsonReply, listJson } from '../../replies/json.ts'
import { PageCache } from '../../replies/page-cache.ts'
import { pageToken, startOfPage } from '../../replies/page-token.ts'
import { prefers } from '../../requests/accept.ts'
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
  failure_kind: Type.Optional(FailureKind),
  remaining: Type.Optional(
    Type.Boolean({ description: 'True: only those still to run, pending and failed; false: only the others' }),
  ),
  format: Type.Optional(
    StringEnum(['csv'], {
      description: 'All that match as CSV, without pages: neither `limit` nor `page_token` can be given. Default: JSON',
    }),
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

const Csv = Type.String({
  description: 'RFC 4180 with a header',
  examples: ['exp_id,config_name\r\n0001,vllm-Llama-3.1-8B-bfloat16\r\n'],
})

const schema = {
  operationId: 'listExperiments',
  tags: ['experiments'],
  summary: 'Find experiments',
  description:
    'As CSV with `?format=csv`, or where `Accept` prefers `text/csv` to JSON: all pages in one, a row each, in manifest order. The ' +
    'columns are the fields of an experiment without `attempts`, with `lease` as `lease_seconds`, `claim_id` and `claimed_at`; then ' +
    '`duration_seconds`, from the start to the end of the attempt; then `metrics.<name>` for each metric that one of them ' +
    `has, sorted, at most ${MAX_METRIC_COLUMNS}. Null is an empty cell. A text that begins with \`=\`, \`+\`, \`-\`, \`@\` or a tab has ` +
    'an apostrophe before it, so that no spreadsheet takes it for a formula.',
  params: CampaignParams,
  headers: IfNoneMatch,
  querystring: ListQuery,
  response: responses('read', OF_CAMPAIGN, {
    200: {
      description: 'A page of experiments, or all that match as CSV',
      schema: ExperimentList,
      otherTypes: { 'text/csv': Csv },
      headers: ['etag', 'vary', 'content-disposition'],
    },
    304: NOT_MODIFIED,
  }),
}

export const listExperiments: Route = async (app, dependencies) => {
  const { service } = dependencies
  const pages = new PageCache(PAGES)

  app.get('/campaigns/:campaign_id/experiments', { config: { role: 'read' }, schema }, async (request, reply) => {
    const { limit, page_token, format, ...given } = request.query
    const filter = experimentFilter(given)
    const isCsv = format === 'csv' || prefers(request.headers.accept, 'text/csv', 'application/json')
    if (isCsv) refusePages({ limit, page_token })
    const from = startOfPage(page_token)
    const committed = await service.campaigns.read(request.params.campaign_id)
    const { campaign } = committed
    varyBy(reply, 'Accept')
    const tag = isCsv ? csvTag(campaign.header) : entityTag(campaign.header)
    if (isKnown(request, reply, tag)) return undefined
    if (isCsv) return csvReply(reply, dependencies, committed, filter)
    const query = { ...filter, limit: limit ?? DEFAULT_LIMIT, from }
    const page = await pages.get(`${tag} ${JSON.stringify(query)}`, () =>
      whenThere(inTurns(pageOfExperiments(campaign, query), service.stopping, 'response'), ({ positions, next }) => {
        const rest = { next_page_token: pageToken(next) }
        return listJson('experiments', experimentItems(committed, positions), rest)
      }),
    )
    return jsonReply(reply, page)
  })
}

type Given = Omit<typeof ListQuery.static, 'limit' | 'page_token' | 'format'>

function experimentFilter({ status, remaining, ...equal }: Given): ExperimentFilter {
  if (status !== undefined && remaining !== undefined) {
    throw invalidParameter('query', 'remaining', 'cannot be given together with status')
  }
  const statuses = remaining === undefined ? status : remaining ? REMAINING : NOT_REMAINING
  return { ...(statuses === undefined ? {} : { statuses }), equal }
}

function refusePages(given: Record<'limit' | 'page_token', unknown>): void {
  const name = (['limit', 'page_token'] as const).find((one) => given[one] !== undefined)
  if (name !== undefined) throw invalidParameter('query', name, 'cannot be given for CSV, which has all pages')
}
