import { Type } from '@sinclair/typebox'
import { DomainError } from '../../../domain/errors.ts'
import { type BatchResult, ExperimentUpdate } from '../../../domain/operations/report-batch.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { actorOf } from '../../guards/authentication.ts'
import { bodyLimits } from '../../limits.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { BatchResult as BatchResultSchema, batchResult } from '../../problems/batch-result.ts'
import { pathOf } from '../../problems/problem.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { jsonPieces, objectPieces } from '../../replies/pieces.ts'
import { readReport, UncheckedReport } from '../../requests/list-of-reports.ts'
import { CampaignParams, IfMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'

const MAX_UPDATES = 1000

const COMPLETED = { exp_id: '0001', status: 'completed', result_path: 'results/aggregated/0001.json' }
const FAILED = { exp_id: '0002', status: 'failed', error: 'Exit code 137', failure_kind: 'oom' }

const Batch = StrictObject(
  {
    updates: Type.Array(ref(ExperimentUpdate), {
      minItems: 1,
      maxItems: MAX_UPDATES,
      description: 'Applied one after the other',
    }),
  },
  { examples: [{ updates: [COMPLETED, FAILED] }] },
)

/** Checks a batch without its updates: one that is not valid fails alone, in `readReport`. */
const Envelope = StrictObject({
  updates: Type.Array(UncheckedReport, {
    minItems: 1,
    maxItems: MAX_UPDATES,
  }),
})

const BatchResponse = StrictObject({
  results: Type.Array(ref(BatchResultSchema), { description: 'One for each update, in their order' }),
})

const schema = {
  operationId: 'reportExperiments',
  tags: ['experiments'],
  summary: 'Report the status of many experiments at once',
  description: 'One revision and one write for all. Each update is decided alone; with ?atomic=true all or none.',
  params: CampaignParams,
  headers: IfMatch,
  querystring: StrictObject({
    atomic: Type.Optional(Type.Boolean({ description: 'All updates or none. Default: false' })),
    timezone: Timezone,
  }),
  body: Envelope,
  response: responses('write', [...OF_CAMPAIGN, 'batch-refused', 'precondition-failed'], {
    200: { description: 'The outcome of each update', schema: BatchResponse },
  }),
}

export const reportExperiments: Route = async (app, { service, limits }) => {
  app.patch(
    '/campaigns/:campaign_id/experiments',
    { bodyLimit: bodyLimits(limits).many, config: { role: 'work', isOfRun: true, documentedBody: Batch }, schema },
    async (request, reply) => {
      const { params, query, body } = request
      const items = body.updates.map((update) => readReport(request, update))
      const instance = pathOf(request)
      try {
        const results = await service.campaigns.reportBatch(params.campaign_id, items, {
          timezone: timezoneOf(query),
          atomic: query.atomic === true,
          precondition: preconditionOf(request),
          actor: actorOf(request),
        })
        return jsonPieces(reply, objectPieces({ results: results.map((result) => batchResult(result, instance)) }))
      } catch (error) {
        throw error instanceof DomainError && error.code === 'batch-refused' ? withResults(error, instance) : error
      }
    },
  )
}

function withResults(refusal: DomainError, batch: string): DomainError {
  const results = (refusal.facts['results'] as readonly BatchResult[]).map((result) => batchResult(result, batch))
  return new DomainError('batch-refused', refusal.message, { results })
}
