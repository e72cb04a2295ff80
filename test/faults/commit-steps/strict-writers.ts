import { setTimeout as sleep } from 'node:timers/promises'
import { type Reply, type Writer, writersOn } from '../../support/http/client.js'
import { storedManifest } from '../../support/store/files.js'
import { caught, createCampaign } from '../replies.js'

const PAUSE = 5

/** What became of one report, and how many milliseconds it took. */
export type OnOutcome = (outcome: Reply | Error, writer: Writer, took: number) => void

/** Writers on a service that is not killed: its files must hold what was acknowledged and nothing else. */
export class StrictWriters {
  readonly writers: readonly Writer[]
  private readonly acknowledgements: Map<string, number>

  /** @param work milliseconds that each waits before its next report */
  constructor(
    private readonly campaigns: readonly string[],
    count: number,
    private readonly work = 0,
  ) {
    this.writers = writersOn(campaigns, count)
    this.acknowledgements = new Map(campaigns.map((id) => [id, 0]))
  }

  get acknowledged(): number {
    return [...this.acknowledgements.values()].reduce((sum, count) => sum + count, 0)
  }

  /** @param experiments how many each campaign has: those of its writers come first */
  async createCampaigns(url: string, experiments: number): Promise<void> {
    for (const campaign_id of this.campaigns) {
      await createCampaign(url, campaign_id, experiments)
    }
  }

  /** Has them all report until it is over, or until the connection breaks. */
  async run(url: string, isOver: () => boolean, onOutcome: OnOutcome): Promise<void> {
    await Promise.all(
      this.writers.map(async (writer) => {
        while (!isOver()) {
          const began = performance.now()
          const outcome = await caught(this.report(writer, url))
          onOutcome(outcome, writer, performance.now() - began)
          if (outcome instanceof Error) return
          if (outcome.status !== 200) await sleep(PAUSE)
          else if (this.work > 0) await sleep(this.work)
        }
      }),
    )
  }

  /** One report. Rejects when the connection breaks. */
  async report(writer: Writer, url: string): Promise<Reply> {
    const reply = await writer.report(url)
    const { campaign } = writer
    if (reply.status === 200) this.acknowledgements.set(campaign, (this.acknowledgements.get(campaign) ?? 0) + 1)
    return reply
  }

  /** What the files have beyond what was acknowledged, or lack of it. */
  differences(dataDir: string): string[] {
    return this.campaigns.flatMap((id) => {
      const { revision, experiments } = storedManifest(dataDir, id)
      const writers = new Map(this.writers.filter(({ campaign }) => campaign === id).map((one) => [one.expId, one]))
      const expected = 1 + (this.acknowledgements.get(id) ?? 0)
      return [
        ...(revision === expected ? [] : [`${id} is at revision ${revision}, acknowledged were ${expected}`]),
        ...experiments.flatMap((experiment) => {
          const writer = writers.get(experiment.exp_id) ?? { acknowledged: 0, revision: 1 }
          const there = `${Number(experiment.result_path)} at revision ${experiment.revision}`
          const due = `${writer.acknowledged} at revision ${writer.acknowledged === 0 ? 1 : writer.revision}`
          return there === due ? [] : [`${experiment.exp_id} of ${id} is ${there}, acknowledged was ${due}`]
        }),
      ]
    })
  }
}
