import { campaignDraft } from '../../support/drafts.js'
import { call } from '../call.js'
import { measure, startBaseline, startCampaignd } from '../child.js'
import { CONNECTIONS, inTurn, ratioOf, SECONDS, type Finding, type Row } from '../row.js'

const N = 1000
const WORKER = 'gpu-node-1/vllm'

export const heartbeatsAgainstBare: Row = {
  name: 'heartbeats',
  title: `Heartbeats, ${CONNECTIONS} connections, against a bare Fastify route`,
  goal: { atLeast: 0.8 },
  measure: measureHeartbeats,
}

async function measureHeartbeats(directory: string): Promise<Finding> {
  const ours = await startCampaignd(directory)
  const bare = await startBaseline('bare-service.ts')
  try {
    const campaigns = `${ours.url}/v1/campaigns`
    const draft = campaignDraft(N)
    const ids = draft.experiments.map(({ exp_id }) => exp_id)
    await call('POST', campaigns, draft)
    await call('PATCH', `${campaigns}/sweep/experiments`, {
      updates: ids.map((exp_id) => ({ exp_id, status: 'running', worker: WORKER, lease_seconds: 60 })),
    })
    const paths = ids.map((id) => `/v1/campaigns/sweep/experiments/${id}/heartbeat`)
    const body = JSON.stringify({ attempt: 1, worker: WORKER })
    const load = { method: 'POST', paths, body, connections: CONNECTIONS, seconds: SECONDS } as const
    const keepAlive = () => measure({ ...load, url: ours.url })
    await keepAlive()
    return ratioOf(await inTurn(keepAlive, () => measure({ ...load, url: bare.url })))
  } finally {
    await ours.stop()
    await bare.stop()
  }
}
