import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../../support/http/client.js'
import { createCampaign } from '../replies.js'
import type { Slices } from '../slices.js'

const CAMPAIGN = 'healthy'
const WORKERS = 8
const WORK = 20

interface Claims {
  readonly claims: readonly { readonly experiment: { readonly exp_id: string }; readonly attempt: number }[]
}

/** Workers that do as they should: each claims, heartbeats, reports, and puts back what it had so that there is always work. */
export class ClaimingWorkers {
  private readonly runs: readonly Promise<void>[]
  private isOver = false

  private constructor(
    private readonly url: string,
    private readonly slices: Slices,
    private readonly problem: (text: string) => void,
    private readonly headers: Readonly<Record<string, string>>,
  ) {
    this.runs = Array.from({ length: WORKERS }, (_, index) => this.work(`worker-${index + 1}`))
  }

  /** @param headers of each call, such as those of a token */
  static async begin(
    url: string,
    slices: Slices,
    problem: (text: string) => void,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ClaimingWorkers> {
    await createCampaign(url, CAMPAIGN, 2 * WORKERS, { settings: { worker_failure_limit: 0 } }, headers)
    return new ClaimingWorkers(url, slices, problem, headers)
  }

  async end(): Promise<void> {
    this.isOver = true
    await Promise.all(this.runs)
  }

  private async work(worker: string): Promise<void> {
    try {
      while (!this.isOver) {
        const { claims } = await this.call<Claims>('POST', 'claims', { worker, wait_seconds: 1 })
        const [claim] = claims
        if (claim === undefined) throw new Error(`there was nothing to claim for ${worker}`)
        const { experiment, attempt } = claim
        const place = `experiments/${experiment.exp_id}`
        await this.call('POST', `${place}/heartbeat`, { worker, attempt })
        await this.call('PATCH', place, { status: 'running', worker, attempt, result_path: worker })
        await this.call('PATCH', place, { status: 'failed', worker, attempt, error: 'Exit code 137' })
        await this.call('PATCH', place, { status: 'pending' })
      }
    } catch (error) {
      this.problem(`a healthy worker stopped: ${(error as Error).message}`)
    }
  }

  private async call<T>(method: string, path: string, body: object): Promise<T> {
    const began = performance.now()
    const { status, text } = await send(method, `${this.url}/v1/campaigns/${CAMPAIGN}/${path}`, body, this.headers)
    this.slices.add(performance.now() - began)
    if (status !== 200) throw new Error(`${method} ${path} was answered ${status} ${text}`)
    await sleep(WORK)
    return JSON.parse(text) as T
  }
}
