import { createRunning, WORKER } from '../load/campaign.js'
import { startBaseline, startCampaignd } from '../services/child.js'
import { compare } from '../compare.js'
import { CONNECTIONS, SECONDS, type Finding, type Row } from '../row.js'

const N = 1000

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
    const { paths: experiments } = await createRunning(ours.url, N, { leaseSeconds: 60 })
    const paths = experiments.map((path) => `${path}/heartbeat`)
    const body = JSON.stringify({ attempt: 1, worker: WORKER })
    const load = { method: 'POST', paths, body, connections: CONNECTIONS, seconds: SECONDS } as const
    return await compare({ ...load, url: ours.url }, { ...load, url: bare.url })
  } finally {
    await ours.stop()
    await bare.stop()
  }
}
