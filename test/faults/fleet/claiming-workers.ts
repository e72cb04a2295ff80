import { setTimeout as sleep } from 'node:timers/promises'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { send } from '../../support/http/client.js'

const CAMPAIGN = 'healthy'
const WORKERS = 8
const WORK = 20

interface Claims {
  readonly claims: readonly { readonly experiment: { readonly exp_id: string }; readonly attempt: number }[]
}

/** Workers that do as they should: each claims, heartbeats, reports, and puts back what it had so that there is always work. */
export class ClaimingWorkers {
  private readonly runs: readonly Promise<void>[]
  private times: number[] = []
  private isOver = false

  private constructor(
    private readonly url: string,
    private readonly problem: (text: string) => void,
    private readonly headers: Readonly<Record<string, string>>,
  ) {
    this.runs = Array.from({ length: WORKERS }, (_, index) => this.work(`worker-${index + 1}`))
  }

  /** @param headers of each call, such as those of a token */
  static async begin(
    url: string,
    problem: (text: string) => void,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ClaimingWorkers> {
    const draft = campaignDraft(2 * WORKERS, { campaign_id: CAMPAIGN })
    const { status } = await send('POST', `${url}/v1/campaigns`, draft, headers)
    if (status !== 201) throw new Error(`a creation was answered ${status}`)
    return new ClaimingWorkers(url, problem, headers)
  }

  /** The milliseconds that each call took since they were taken last. */
  takeTimes(): readonly number[] {
    const { times } = this
    this.times = []
    return times
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
    this.times.push(performance.now() - began)
    if (status !== 200) throw new Error(`${method} ${path} was answered ${status} ${text}`)
    await sleep(WORK)
    return JSON.parse(text) as T
  }
}
