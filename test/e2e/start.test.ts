import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { layCampaigns } from '../support/campaigns/laid-campaigns.js'
import { send } from '../support/http/client.js'
import { type Service, startCampaign, startService } from '../support/service/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const CAMPAIGNS = Number(process.env['CAMPAIGND_TEST_CAMPAIGNS'] ?? 300)
/** Milliseconds, for 1,000 campaigns. */
const GOAL = 3000

/** Milliseconds since `began`, without those in which the service waited for a core: the promise is its own speed. */
function ownTime(began: number, { pid }: Service): number {
  const [, waited = 0] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number)
  return Math.round(performance.now() - began - waited / 1e6)
}

test(`a start with ${CAMPAIGNS} campaigns of 100 experiments is as fast as is promised`, async () => {
  const dataDir = temporaryDirectory()
  layCampaigns(dataDir, CAMPAIGNS, 100)
  const began = performance.now()
  const service = await startService({ dataDir })
  const took = ownTime(began, service)
  console.log(`start: ${CAMPAIGNS} campaigns of 100 experiments in ${took} ms`)
  expect(took).toBeLessThan(GOAL)
  const { campaigns } = (await send('GET', `${service.url}/v1/campaigns?limit=1000`)).json<{ campaigns: object[] }>()
  expect(campaigns).toHaveLength(CAMPAIGNS)
})

test('after a kill the next start acknowledges an update within 3 s', async () => {
  const killed = await startCampaign(10)
  await killed.end('SIGKILL')
  const began = performance.now()
  const service = await startService({ dataDir: killed.dataDir })
  const reply = await send('PATCH', `${service.url}/v1/campaigns/sweep/experiments/0001`, { status: 'running' })
  const took = ownTime(began, service)
  console.log(`start: first acknowledgement ${took} ms after a kill`)
  expect(reply.status).toBe(200)
  expect(took).toBeLessThan(3000)
})
