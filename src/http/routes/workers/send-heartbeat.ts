import { Type } from '@sinclair/typebox'
import { LeaseSeconds, Timestamp } from '../../../domain/experiment/experiment.ts'
import { Heartbeat } from '../../../domain/operations/heartbeat.ts'
import { Described, ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { OF_EXPERIMENT, responses } from '../../openapi/responses.ts'
import { ExperimentParams, NoQuery } from '../../requests/parameters.ts'

const HeartbeatResponse = StrictObject({
  lease_seconds: LeaseSeconds,
  lease_expires_at: Described(Timestamp, 'When the lease runs out without another heartbeat'),
  cancel: Type.Boolean({
    description: 'Stop: the campaign was paused with ?cancel_running=true. Report the attempt as `interrupted`',
  }),
})

const schema = {
  operationId: 'sendHeartbeat',
  tags: ['workers'],
  summary: 'Renew the lease of a running experiment',
  description:
    'Costs no write. Any 409 means that the worker has lost the attempt: stop. A report of the running attempt renews its ' +
    'lease too. `progress` and `note` are kept in memory for as long as the lease lives, and shown by the list of workers and ' +
    'in events; a restart of the service forgets them.',
  params: ExperimentParams,
  querystring: NoQuery,
  body: ref(Heartbeat),
  response: responses('write', [...OF_EXPERIMENT, 'stale-attempt', 'not-the-owner', 'no-lease'], {
    200: { description: 'The lease is renewed for its full period', schema: HeartbeatResponse },
  }),
}

export const sendHeartbeat: Route = async (app, { service }) => {
  app.post(
    '/campaigns/:campaign_id/experiments/:exp_id/heartbeat',
    { config: { role: 'work', isOfRun: true, isVital: true, isLoggedAsRead: true }, schema },
    ({ params, body }) => service.campaigns.heartbeat(params.campaign_id, params.exp_id, body),
  )
}
