import { Type } from '@sinclair/typebox'
import { Worker } from '../../../domain/experiment/experiment.ts'
import { WorkerPatch } from '../../../domain/operations/lift-bench.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { CampaignParams, IfMatch, NoQuery } from '../../requests/parameters.ts'

const PatchedWorker = StrictObject(
  { worker: Worker, benched: Type.Boolean({ description: 'Whether it is benched now', examples: [false] }) },
  { examples: [{ worker: 'gpu-node-1/vllm', benched: false }] },
)

const schema = {
  operationId: 'patchWorker',
  tags: ['workers'],
  summary: 'Give a benched worker experiments again',
  description:
    'Its failures so far count no more. It is benched again once `worker_failure_limit` further runs in a row have failed. May be repeated.',
  params: StrictObject({ ...CampaignParams.properties, worker: Worker }),
  headers: IfMatch,
  querystring: NoQuery,
  body: ref(WorkerPatch),
  response: responses('write', [...OF_CAMPAIGN, 'worker-not-found', 'precondition-failed'], {
    200: { description: 'The worker is not benched', schema: PatchedWorker },
  }),
}

export const patchWorker: Route = async (app, { service }) => {
  app.patch('/campaigns/:campaign_id/workers/:worker', { config: { role: 'admin' }, schema }, async (request) => {
    const { campaign_id, worker } = request.params
    await service.campaigns.liftBench(campaign_id, worker, { precondition: preconditionOf(request) })
    return { worker, benched: false }
  })
}
