import { Type } from '@sinclair/typebox'
import { BenchedWorker } from '../../../domain/campaign/benching.ts'
import type { Experiment } from '../../../domain/experiment/experiment.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import { pageOfExperiments } from '../../../domain/views/experiment-list.ts'
import { RunningExperiment } from '../../../domain/views/running-experiment.ts'
import type { LeaseState } from '../../../leases/lease-keeper.ts'
import { inTurns } from '../../../runtime/turns.ts'
import type { Route } from '../../dependencies.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { pageToken, startOfPage } from '../../replies/page-token.ts'
import { CampaignParams, DEFAULT_LIMIT, NextPageToken, pageProperties } from '../../requests/parameters.ts'

const Workers = StrictObject({
  workers: Type.Array(ref(RunningExperiment), { description: 'One for each running experiment, in manifest order' }),
  benched: Type.Array(ref(BenchedWorker), {
    description: 'Workers that get nothing for a while, on each page',
  }),
  next_page_token: NextPageToken,
})

const schema = {
  operationId: 'listWorkers',
  tags: ['workers'],
  summary: 'Running experiments and their workers',
  description: 'Has no ETag: the seconds since the last heartbeat always change.',
  params: CampaignParams,
  querystring: StrictObject(pageProperties),
  response: responses('read', OF_CAMPAIGN, {
    200: { description: 'A page of running experiments', schema: Workers },
  }),
}

export const listWorkers: Route = async (app, { service }) => {
  app.get('/campaigns/:campaign_id/workers', { config: { role: 'read' }, schema }, async ({ params, query }) => {
    const { limit = DEFAULT_LIMIT, page_token } = query
    const from = startOfPage(page_token)
    const { campaign } = await service.campaigns.read(params.campaign_id)
    const running = { statuses: ['running'], equal: {}, limit, from } as const
    const { positions, next } = await inTurns(pageOfExperiments(campaign, running), service.stopping, 'response')
    const experiments = positions.map((position) => campaign.experiments.at(position))
    const leases = await service.campaigns.leaseStates(params.campaign_id, experiments)
    return {
      workers: experiments.map((experiment) => toResponse(experiment, leases.get(experiment.exp_id))),
      benched: service.campaigns.benchedWorkers(campaign),
      next_page_token: pageToken(next),
    }
  })
}

function toResponse(experiment: Experiment, state: LeaseState | undefined): RunningExperiment {
  const { worker, exp_id, config_name, backend, container, cycle_index, attempt, started_at, lease } = experiment
  return {
    ...{ worker, exp_id, config_name, backend, container, cycle_index, attempt, started_at },
    lease_seconds: lease?.seconds ?? null,
    lease_expires_at: state?.lease_expires_at ?? null,
    seconds_since_heartbeat: state?.seconds_since_heartbeat ?? null,
    progress: state?.progress ?? null,
    note: state?.note ?? null,
  }
}
