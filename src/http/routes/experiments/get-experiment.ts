import { findExperiment } from '../../../domain/operations/report.ts'
import { ref } from '../../../domain/schema.ts'
import { ExperimentWithRun, withRun } from '../../../domain/views/experiment-with-run.ts'
import type { Route } from '../../dependencies.ts'
import { NOT_MODIFIED, OF_EXPERIMENT, responses } from '../../openapi/responses.ts'
import { entityTag, isKnown } from '../../replies/entity-tag.ts'
import { ExperimentParams, IfNoneMatch, NoQuery } from '../../requests/parameters.ts'

const schema = {
  operationId: 'getExperiment',
  tags: ['experiments'],
  summary: 'One experiment',
  params: ExperimentParams,
  headers: IfNoneMatch,
  querystring: NoQuery,
  response: responses('read', OF_EXPERIMENT, {
    200: { description: 'The experiment', schema: ref(ExperimentWithRun), headers: ['etag'] },
    304: NOT_MODIFIED,
  }),
}

export const getExperiment: Route = async (app, { service }) => {
  app.get(
    '/campaigns/:campaign_id/experiments/:exp_id',
    { config: { role: 'read' }, schema },
    async (request, reply) => {
      const { campaign_id, exp_id } = request.params
      const { campaign } = await service.campaigns.read(campaign_id)
      const experiment = findExperiment(campaign, exp_id)
      const { uid } = campaign.header
      const tag = entityTag({ uid, revision: experiment.revision })
      return isKnown(request, reply, tag) ? undefined : withRun(experiment, uid)
    },
  )
}
