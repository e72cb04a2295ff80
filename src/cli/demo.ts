import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DemoApi } from './demo/api.ts'
import { finishedCampaigns, runningCampaign } from './demo/campaigns.ts'
import { Chance } from './demo/chance.ts'
import { startService } from './demo/service.ts'
import { work } from './demo/worker.ts'

/**
 * The service on a directory of its own, with campaigns to look at: two that have ended, and one that simulated workers
 * run through the API for some minutes. Ctrl+C ends it and leaves nothing behind.
 */

const CONTAINERS = ['pytorch', 'tensorrt', 'vllm'] as const
const NODES = 3

const dataDir = mkdtempSync(join(tmpdir(), 'campaignd-demo-'))
const over = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    over.abort()
  })
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
    if (!over.signal.aborted) process.exitCode = 1
    over.abort()
  })
  try {
    await run(service.url)
  } catch (error) {
    if (!over.signal.aborted) throw error
  } finally {
    await service.stop()
  }
}

async function run(url: string): Promise<void> {
  const chance = new Chance(20_260_301)
  const api = new DemoApi(url, over.signal)
  const running = runningCampaign(chance, Date.now())
  for (const campaign of [...finishedCampaigns(chance, Date.now()), running])
    await api.call('POST', '/campaigns', campaign)
  const campaignId = running.campaign_id ?? ''
  process.stdout.write(
    `The dashboard: ${url}/#/campaigns/${campaignId}/grid\nAll campaigns:  ${url}/\nCtrl+C ends it.\n`,
  )
  const workers = CONTAINERS.flatMap((container) =>
    Array.from({ length: NODES }, (_, node) =>
      work(api, campaignId, `gpu-node-${node + 1}/${container}`, container, chance, over.signal),
    ),
  )
  await Promise.all(workers)
}
