import { setTimeout as sleep } from 'node:timers/promises'
import type { Experiment } from '../../domain/experiment/experiment.ts'
import type { DemoApi } from './api.ts'
import { durationOf, failureOf, metricsOf } from './attempt.ts'
import { resultOf } from './campaigns.ts'
import type { Chance } from './chance.ts'

/** How often a worker disappears with its claim, and for how many milliseconds. */
const DISAPPEARS = 0.025
const AWAY = 15_000

/** Milliseconds until it claims again once the campaign has ended. */
const IDLE = 2_000

interface Claims {
  readonly claims: readonly {
    readonly experiment: Experiment
    readonly run_id: string
    readonly heartbeat_seconds: number
  }[]
  readonly done: boolean
}

/** A worker as a container would run it: it claims, sends heartbeats, and reports, until it is stopped. */
export async function work(
  api: DemoApi,
  campaignId: string,
  worker: string,
  container: string,
  chance: Chance,
  signal: AbortSignal,
): Promise<never> {
  const campaign = `/campaigns/${campaignId}`
  for (;;) {
    const claimed = await api.call<Claims>('POST', `${campaign}/claims`, { worker, container, wait_seconds: 20 })
    const [claim] = claimed?.claims ?? []
    if (claim === undefined) {
      // Failed experiments may be retried.
      if (claimed?.done === true) await sleep(IDLE, undefined, { signal })
      continue
    }
    const { experiment, run_id, heartbeat_seconds } = claim
    const path = `${campaign}/experiments/${experiment.exp_id}`
    if (chance.happens(DISAPPEARS)) {
      // Its lease expires meanwhile: a loss, so somebody else gets the experiment.
      await sleep(AWAY, undefined, { signal })
      continue
    }
    const milliseconds = durationOf(chance)
    if (!(await runFor(milliseconds))) continue
    const failure = failureOf(experiment.config_name, chance)
    const outcome =
      failure === null
        ? {
            status: 'completed',
            result_path: resultOf(campaignId, experiment),
            metrics: metricsOf(milliseconds, chance),
          }
        : { status: 'failed', ...failure }
    await api.call('PATCH', path, { run_id, ...outcome })

    /** @returns false when the attempt was cancelled or lost */
    async function runFor(milliseconds: number): Promise<boolean> {
      const end = performance.now() + milliseconds
      for (let left = milliseconds; left > 0; left = end - performance.now()) {
        await sleep(Math.min(left, heartbeat_seconds * 1000), undefined, { signal })
        const progress = Math.min(1, 1 - (end - performance.now()) / milliseconds)
        const beat = { run_id, progress }
        const heartbeat = await api.call<{ readonly cancel: boolean }>('POST', `${path}/heartbeat`, beat)
        if (heartbeat === null) return false
        if (!heartbeat.cancel) continue
        const stopped = { status: 'failed', failure_kind: 'interrupted', error: 'Stopped: the campaign was paused' }
        await api.call('PATCH', path, { run_id, ...stopped })
        return false
      }
      return true
    }
  }
}
