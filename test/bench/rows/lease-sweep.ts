import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { DEFAULT_LIMITS } from '#campaignd/http/limits.js'
import { openService } from '#campaignd/service/open-service.js'
import { campaignOf } from '../../support/campaigns/drafts.js'
import { median } from '../../support/quantiles.js'
import { ROUNDS, type Finding, type Row } from '../row.js'

const CAMPAIGNS = 10
const N = 1000
const SWEEPS_A_SECOND = 2
/** Every lease is kept alive each 20 seconds. */
const BEATS_A_SWEEP = (CAMPAIGNS * N) / 20 / SWEEPS_A_SECOND
const SECONDS_A_ROUND = 3

export const leaseSweep: Row = {
  name: 'sweep',
  title: `Sweeping ${CAMPAIGNS * N} live leases of ${CAMPAIGNS} campaigns ${SWEEPS_A_SECOND} times a second, beside their heartbeats`,
  goal: { below: 1 },
  measure: measureSweeps,
}

async function measureSweeps(directory: string): Promise<Finding> {
  const fail = (reason: unknown) => {
    throw reason
  }
  const service = await openService({
    dataDir: directory,
    durability: 'os',
    limits: DEFAULT_LIMITS,
    logger: pino({ level: 'error' }, { write: fail }),
    onFatal: fail,
  })
  const { leases, store } = service
  const names = Array.from({ length: CAMPAIGNS }, (_, index) => `campaign-${index}`)
  const running = { status: 'running', worker: 'gpu-node-1/vllm', lease: { seconds: 60, claim_id: null } } as const
  const experiments = Array.from({ length: N }, () => running)
  for (const campaign_id of names) await store.create(campaignOf(experiments, { campaign_id }).toManifest())
  const ids = names.flatMap((name) =>
    Array.from({ length: N }, (_, index) => [name, String(index + 1).padStart(4, '0')]),
  )
  let beats = 0
  try {
    const sweeps: number[] = []
    const figures: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      let spent = 0
      for (let sweep = 0; sweep < SECONDS_A_ROUND * SWEEPS_A_SECOND; sweep += 1) {
        await sleep(1000 / SWEEPS_A_SECOND)
        await beat()
        const begin = performance.now()
        await leases.sweep()
        sweeps.push(performance.now() - begin)
        spent += performance.now() - begin
      }
      figures.push(spent / SECONDS_A_ROUND)
    }
    if (store.leases.live !== CAMPAIGNS * N) throw new Error(`only ${store.leases.live} leases are alive`)
    const ours = `${median(sweeps).toFixed(3)} ms a sweep, ${Math.max(...sweeps).toFixed(3)} at most`
    return { figures, unit: ' ms a second', ours, baseline: 'none' }
  } finally {
    await service.close()
  }

  async function beat(): Promise<void> {
    for (let count = 0; count < BEATS_A_SWEEP; count += 1) {
      const [campaignId = '', expId = ''] = ids[beats % ids.length] ?? []
      await leases.heartbeat(campaignId, expId, { attempt: 1, worker: running.worker })
      beats += 1
    }
  }
}
