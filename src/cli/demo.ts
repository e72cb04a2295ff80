import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DemoApi } from './demo/api.ts'
import { finishedCampaigns, runningCampaign } from './demo/campaigns.ts'
import { Chance } from './demo/chance.ts'
import { startService } from './demo/service.ts'
import { work } from './demo/worker.ts'

/**
 * The service on a temporary directory, with two campaigns that have ended, and one that simulated workers run through the API
 * for some minutes. Ctrl+C ends it and removes the directory.
 */

const CONTAINERS = ['pytorch', 'tensorrt', 'vllm'] as const
const NODES = 3

const dataDir = mkdtempSync(join(tmpdir(), 'campaignd-demo-'))
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stop.abort())
}

try {
  await show()
} finally {
  rmSync(dataDir, { recursive: true, force: true })
}

async function show(): Promise<void> {
  const service = await startService(dataDir)
  // What ends the service ends the demo, and the other way round.
  void service.ended.then(() => {
    if (!stop.signal.aborted) process.exitCode = 1
    stop.abort()
  })
  try {
    await run(service.url)
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    await service.stop()
  }
}

async function run(url: string): Promise<void> {
  const chance = new Chance(20_260_301)
  const api = new DemoApi(url, stop.signal)
  const running = runningCampaign(chance, Date.now())
  for (const campaign of [...finishedCampaigns(chance, Date.now()), running])
    await api.call('POST', '/campaigns', campaign)
  const campaignId = running.campaign_id ?? ''
  process.stdout.write(
    `The dashboard: ${url}/#/campaigns/${campaignId}/grid\nAll campaigns:  ${url}/\nCtrl+C ends it.\n`,
  )
  const workers = CONTAINERS.flatMap((container) =>
    Array.from({ length: NODES }, (_, node) =>
      work(api, campaignId, `gpu-node-${node + 1}/${container}`, container, chance, stop.signal),
    ),
  )
  await Promise.all(workers)
}
