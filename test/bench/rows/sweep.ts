import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULT_LIMITS } from '#campaignd/http/limits.js'
import { openService } from '#campaignd/service/open-service.js'
import type { Service } from '#campaignd/service/service.js'
import { campaignOf } from '../../support/campaigns/drafts.js'
import { median } from '../../support/quantiles.js'
import { type Comparison, serving, SLICE_SECONDS, WARM_UP_SECONDS } from '../against/comparison.js'
import { createManyRunning, WORKER } from '../load/campaign.js'
import { LEASE_SECONDS } from '../load/workload.js'
import { below, type Finding, ROUNDS, type Row } from '../row.js'

const CAMPAIGNS = 10
const N = 1000
/** As many as make the sweep more than all else that an idle service does. */
const N_OF_BUILDS = 10_000
const SWEEPS_A_SECOND = 2
/** Every lease is renewed every 20 seconds. */
const BEATS_A_SWEEP = (CAMPAIGNS * N) / 20 / SWEEPS_A_SECOND
const SECONDS_A_ROUND = 3
const name = 'sweep'

export const leaseSweep: Row = {
  lines: [
    {
      name,
      title: `Sweeping ${CAMPAIGNS * N} live leases of ${CAMPAIGNS} campaigns ${SWEEPS_A_SECOND} times a second, beside their heartbeats`,
      goal: below(1),
    },
  ],
  measure: measureSweeps,
}

export const sweepOfBuilds: Comparison = {
  lines: [
    {
      name,
      title: `Main thread of a service that only sweeps ${CAMPAIGNS * N_OF_BUILDS} live leases`,
      better: 'less',
      words: (figure) => `${figure.toFixed(2)} ms a second`,
    },
  ],
  open: serving(async ({ url, pid }) => {
    await createManyRunning(url, CAMPAIGNS, N_OF_BUILDS, { leaseSeconds: LEASE_SECONDS })
    return {
      warmUp: () => sleep(WARM_UP_SECONDS * 1000),
      slice: async () => {
        const [began, before] = [performance.now(), mainThreadMilliseconds(pid)]
        await sleep(SLICE_SECONDS * 1000)
        const seconds = (performance.now() - began) / 1000
        return [(mainThreadMilliseconds(pid) - before) / seconds]
      },
    }
  }),
}

/** How long the main thread of a process was on a processor. */
function mainThreadMilliseconds(pid: number): number {
  const [nanoseconds] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')
  return Number(nanoseconds) / 1e6
}

async function measureSweeps(directory: string): Promise<Finding[]> {
  const service = await openRunning(directory)
  await using _ = { [Symbol.asyncDispose]: () => service.close() }
  const { leases, store } = service
  let beats = 0
  const sweeps: number[] = []
  const figures: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    let spent = 0
    for (let sweep = 0; sweep < SECONDS_A_ROUND * SWEEPS_A_SECOND; sweep += 1) {
      await sleep(1000 / SWEEPS_A_SECOND)
      for (const end = beats + BEATS_A_SWEEP; beats < end; beats += 1) await beat(leases, beats)
      const begin = performance.now()
      await leases.sweep()
      sweeps.push(performance.now() - begin)
      spent += performance.now() - begin
    }
    figures.push(spent / SECONDS_A_ROUND)
  }
  if (store.leases.live !== CAMPAIGNS * N) throw new Error(`only ${store.leases.live} leases are alive`)
  const ours = `${median(sweeps).toFixed(3)} ms a sweep, ${Math.max(...sweeps).toFixed(3)} at most`
  return [{ figures, unit: ' ms a second', ours, baseline: 'none' }]
}

/** A service in this process, on campaigns whose experiments all run under a lease. */
async function openRunning(dataDir: string): Promise<Service> {
  const fail = (reason: unknown) => {
    throw reason
  }
  const logger = { warn: fail, error: fail }
  const service = await openService({ dataDir, durability: 'os', limits: DEFAULT_LIMITS, logger, onFatal: fail })
  const running = {
    status: 'running',
    worker: WORKER,
    lease: { seconds: 60, claim_id: null, claimed_at: null },
  } as const
  const experiments = Array.from({ length: N }, () => running)
  for (let index = 0; index < CAMPAIGNS; index += 1) {
    await service.store.create(campaignOf(experiments, { campaign_id: `campaign-${index}` }).toManifest())
  }
  return service
}

/** Renews one lease after the other. */
async function beat(leases: Service['leases'], nth: number): Promise<void> {
  const expId = String((nth % N) + 1).padStart(4, '0')
  await leases.heartbeat(`campaign-${Math.floor(nth / N) % CAMPAIGNS}`, expId, { attempt: 1, worker: WORKER })
}
