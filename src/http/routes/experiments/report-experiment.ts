import { ExperimentReport } from '../../../domain/operations/report-request.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import { ExperimentWithRun } from '../../../domain/views/experiment-with-run.ts'
import type { Route } from '../../dependencies.ts'
import { actorOf } from '../../guards/authentication.ts'
import { bodyLimits } from '../../limits.ts'
import { OF_EXPERIMENT, responses } from '../../openapi/responses.ts'
import { entityTag, preconditionOf } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { ExperimentParams, IfMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'

const REFUSALS = ['already-running', 'not-the-owner', 'stale-attempt', 'transition-refused'] as const

const schema = {
  operationId: 'reportExperiment',
  tags: ['experiments'],
  summary: 'Report the status of an experiment',
  description: 'May be repeated: a report that changes nothing gets 200 and makes no revision.',
  params: ExperimentParams,
  headers: IfMatch,
  querystring: StrictObject({ timezone: Timezone }),
  body: ref(ExperimentReport),
  response: responses('write', [...OF_EXPERIMENT, ...REFUSALS, 'precondition-failed'], {
    200: { description: 'The experiment after the report', schema: ref(ExperimentWithRun), headers: ['etag'] },
  }),
}

export const reportExperiment: Route = async (app, { service, limits }) => {
  app.patch(
    '/campaigns/:campaign_id/experiments/:exp_id',
    { bodyLimit: bodyLimits(limits).report, config: { role: 'work', isOfRun: true }, schema },
    async (request, reply) => {
      const { campaign_id, exp_id } = request.params
      const { json, version } = await service.campaigns.report(campaign_id, exp_id, request.body, {
        timezone: timezoneOf(request.query),
        precondition: preconditionOf(request),
        actor: actorOf(request),
      })
      return jsonReply(reply.header('etag', entityTag(version)), json)
    },
  )
}
