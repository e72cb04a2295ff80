import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { DomainError } from '../../../domain/errors.ts'
import { ExpId, type Experiment } from '../../../domain/experiment/experiment.ts'
import { ExperimentReport, reportProperties } from '../../../domain/operations/report-request.ts'
import { updateBatch, type BatchItem, type BatchResult as Verdict } from '../../../domain/operations/report-batch.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { campaignTag, ifMatch } from '../../replies/entity-tag.ts'
import { problemOf, type Problem } from '../../problems/problem.ts'
import { fieldErrors } from '../../problems/located-error.ts'
import { CampaignParams, IfMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'

const MAX_UPDATES = 1000

export const ExperimentUpdate = Type.Object(
  { exp_id: ExpId, ...reportProperties },
  { $id: 'ExperimentUpdate', additionalProperties: false, description: 'A report, and the experiment that it is of' },
)

export const BatchResult = Type.Object(
  {
    exp_id: ExpId,
    status: Type.Unsafe<200 | 404 | 409 | 422>(
      Type.Integer({ enum: [200, 404, 409, 422], description: 'What the update alone would have been answered' }),
    ),
    experiment: Type.Optional(Type.Unsafe<Experiment>(Type.Ref('CampaignManifestEntry'))),
    problem: Type.Optional(Type.Unsafe<Problem>(Type.Ref('Problem'))),
  },
  {
    $id: 'BatchResult',
    additionalProperties: false,
    description: 'The experiment as it is then, or why its update is refused. 422: the update itself is not valid',
  },
)

const Batch = Type.Object(
  {
    updates: Type.Array(Type.Unsafe<typeof ExperimentUpdate.static>(Type.Ref('ExperimentUpdate')), {
      minItems: 1,
      maxItems: MAX_UPDATES,
      description: 'Applied one after the other',
    }),
  },
  {
    additionalProperties: false,
    examples: [
      {
        updates: [
          { exp_id: '0001', status: 'completed', result_path: 'results/aggregated/0001.json' },
          { exp_id: '0002', status: 'failed', error: 'Exit code 137', failure_kind: 'oom' },
        ],
      },
    ],
  },
)

/** A batch of which only the outside is judged: an update that is not valid fails alone. */
const Envelope = Type.Object(
  {
    updates: Type.Array(Type.Object({ exp_id: ExpId }, { additionalProperties: true }), {
      minItems: 1,
      maxItems: MAX_UPDATES,
    }),
  },
  { additionalProperties: false },
)

const BatchAnswer = Type.Object(
  {
    results: Type.Array(Type.Unsafe<typeof BatchResult.static>(Type.Ref('BatchResult')), {
      description: 'One for each update, in their order',
    }),
  },
  { additionalProperties: false },
)

export const experimentBatchRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (
  app,
  { repository, leases, now },
) => {
  app.patch(
    '/campaigns/:campaign_id/experiments',
    {
      config: { role: 'work', documentedBody: Batch },
      schema: {
        operationId: 'reportExperiments',
        tags: ['experiments'],
        summary: 'Report the status of many experiments at once',
        description: 'One revision and one write for all. Each update is judged alone; with ?atomic=true all or none.',
        params: CampaignParams,
        headers: IfMatch,
        querystring: Type.Object(
          {
            atomic: Type.Optional(Type.Boolean({ description: 'All updates or none. Default: false' })),
            timezone: Timezone,
          },
          { additionalProperties: false },
        ),
        body: Envelope,
        response: responses({
          success: { 200: { description: 'A verdict on each update', schema: BatchAnswer } },
          kind: 'write',
          problems: ['campaign-not-found', 'campaign-corrupt', 'batch-refused', 'precondition-failed'],
        }),
      },
    },
    async (request) => {
      const items = request.body.updates.map((update) => readItem(request, update))
      const [instance = ''] = request.url.split('?')
      const how = { now: now(), timezone: timezoneOf(request.query), atomic: request.query.atomic === true }
      const decide = ifMatch(request, campaignTag, (campaign) => updateBatch(campaign, items, how))
      try {
        const verdicts = await repository.update(request.params.campaign_id, decide)
        for (const verdict of verdicts)
          if ('experiment' in verdict) leases.renew(request.params.campaign_id, verdict.experiment)
        return { results: verdicts.map((verdict) => onTheWire(verdict, instance)) }
      } catch (error) {
        throw error instanceof DomainError && error.code === 'batch-refused' ? withResults(error, instance) : error
      }
    },
  )
}

/** Judges each update by itself: one that is not valid fails alone. */
function readItem(
  request: FastifyRequest,
  { exp_id, ...report }: (typeof Envelope.static)['updates'][number],
): BatchItem {
  const isReport = request.compileValidationSchema(ExperimentReport, 'body')
  if (isReport(report)) return { exp_id, report: report }
  const errors = fieldErrors(isReport.errors ?? [], 'body')
  return { exp_id, refused: new DomainError('invalid', 'The update is not valid.', { errors }) }
}

function onTheWire(verdict: Verdict, batch: string): typeof BatchResult.static {
  const { exp_id } = verdict
  if ('experiment' in verdict) return { exp_id, status: 200, experiment: verdict.experiment }
  const refused = problemOf(verdict.refused, `${batch}/${exp_id}`)
  const status = refused.code === 'invalid' ? 422 : refused.status === 404 ? 404 : 409
  return { exp_id, status, problem: { ...refused, status } }
}

function withResults(refusal: DomainError, batch: string): DomainError {
  const results = (refusal.facts['results'] as readonly Verdict[]).map((verdict) => onTheWire(verdict, batch))
  return new DomainError('batch-refused', refusal.message, { results })
}
