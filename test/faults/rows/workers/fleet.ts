import { setTimeout as sleep } from 'node:timers/promises'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { type Reply, send } from '../../../support/http/client.js'
import type { Service } from '../../../support/service/service-process.js'
import { readManifest } from '../../../support/store/files.js'
import type { Fault, Findings, Size } from '../../fault.js'
import { FleetLedger } from '../../fleet/ledger.js'
import { type FleetMember, type Held, startWorker } from '../../fleet/member.js'
import { createCampaign } from '../../replies.js'
import { endInOrder, type Stage } from '../../stage.js'

interface FleetSize {
  readonly workers: number
  readonly experiments: number
  readonly serviceKills: number
  readonly limit: number
}

const SIZES: Readonly<Record<Size, FleetSize>> = {
  short: { workers: 8, experiments: 60, serviceKills: 1, limit: 60_000 },
  middle: { workers: 16, experiments: 300, serviceKills: 2, limit: 120_000 },
  full: { workers: 32, experiments: 1_000, serviceKills: 3, limit: 400_000 },
}

const CAMPAIGN = 'sweep'
const LEASE_SECONDS = 2
const LONGEST_WORK = 1_500 * LEASE_SECONDS
/** Milliseconds of work that a worker must have left to be frozen, so that it does not end before. */
const ENOUGH_WORK = 400
const PAUSE = 20
/** Of the campaign: all disturbances begin before so much of it is done. */
const DISTURBED = 0.8

/** Until its lease ran out, so that its late report may count; until another took over; also after a retry, which closes the attempt. */
const FREEZES = ['freeze until taken over', 'freeze until put back and taken over', 'freeze until lost'] as const
type Freeze = (typeof FREEZES)[number]

export const fleet: Fault = {
  name: 'fleet',
  how: 'worker processes claim, beat and report; a third is killed and a third frozen past the lease, the service killed too',
  run: async (stage, size) => new Fleet(stage, SIZES[size], await stage.start()).run(),
}

class Fleet {
  private readonly ledger = new FleetLedger()
  private readonly members: FleetMember[] = []
  private readonly killed = new Set<string>()
  private readonly frozen = new Set<FleetMember>()
  /** A worker may be frozen twice at the same work. */
  private readonly lapsed = new Set<Held>()
  private readonly problems: string[] = []
  private readonly campaign: string
  private serviceKills = 0
  private deadline: number

  constructor(
    private readonly stage: Stage,
    private readonly size: FleetSize,
    private service: Service,
  ) {
    this.campaign = `${service.url}/v1/campaigns/${CAMPAIGN}`
    this.deadline = performance.now() + size.limit
  }

  async run(): Promise<Findings> {
    const settings = { max_retries: 1000, lease_seconds: LEASE_SECONDS }
    await createCampaign(this.service.url, CAMPAIGN, this.size.experiments, { settings })
    for (let index = 0; index < this.size.workers; index += 1) this.addWorker()
    try {
      await this.disturb()
      while (this.members.some((member) => member.lives())) await this.pause()
    } finally {
      // Ends every call that is still tried again, also when something else failed.
      this.deadline = 0
    }
    return this.findings()
  }

  private async disturb(): Promise<void> {
    const freezing: Promise<void>[] = []
    for (const { at, disturbance } of this.plan()) {
      while (this.ledger.completions.size < at) await this.pause()
      if (disturbance === 'kill the service') await this.killService()
      else if (disturbance === 'kill a worker') await this.killOne()
      else freezing.push(this.freezeOne(disturbance).catch((error: unknown) => void this.problems.push(String(error))))
    }
    await Promise.all(freezing)
  }

  private plan() {
    const { workers, experiments, serviceKills } = this.size
    const third = Math.ceil(workers / 3)
    const disturbances = [
      ...Array.from({ length: third }, (_, index) => FREEZES[index % FREEZES.length] ?? FREEZES[0]),
      ...Array.from({ length: third }, () => 'kill a worker' as const),
      ...Array.from({ length: serviceKills }, () => 'kill the service' as const),
    ]
    return disturbances
      .map((disturbance) => ({ at: Math.floor(Math.random() * DISTURBED * experiments), disturbance }))
      .sort((a, b) => a.at - b.at)
  }

  private addWorker(): void {
    const name = `worker-${this.members.length + 1}`
    const member = startWorker(this.stage, this.campaign, name, {
      ...{ longest: LONGEST_WORK, failing: 0.05 },
      onNews: (news) => this.ledger.add(name, news),
    })
    this.members.push(member)
    void member.ended.then((code) => {
      if (code !== 0 && !this.killed.has(name)) this.problems.push(`${name} ended with ${code}`)
    })
  }

  private async killService(): Promise<void> {
    const code = await this.service.end('SIGKILL')
    if (code !== null) this.problems.push(`the service ended by itself, with ${code}`)
    this.serviceKills += 1
    this.service = await this.stage.start({ environment: { CAMPAIGND_PORT: new URL(this.service.url).port } })
  }

  private async killOne(): Promise<void> {
    const victim = oneOf(this.atWork())
    if (victim === undefined) throw new Error('there is no worker to kill')
    this.killed.add(victim.name)
    await victim.kill()
    this.addWorker()
  }

  /** Freezes a worker in the middle of its work; another one when it turns out that it had reported just before. */
  private async freezeOne(freeze: Freeze): Promise<void> {
    for (;;) {
      const victim = await this.someoneWithWork()
      const held = victim?.held() ?? null
      if (victim === null || held === null) return
      this.frozen.add(victim)
      victim.freeze()
      try {
        if (!(await this.lapses(held))) continue
        this.lapsed.add(held)
        if (freeze === 'freeze until put back and taken over') await this.putBack(held)
        if (freeze !== 'freeze until lost') await this.isTakenOver(held)
        // With its work done it reports at once; otherwise a heartbeat may be refused first, and there is no report.
        if (freeze === 'freeze until taken over') await sleep(held.workedUntil - performance.now())
        return
      } finally {
        victim.thaw()
        this.frozen.delete(victim)
      }
    }
  }

  /** Null when the campaign came to its end without. */
  private async someoneWithWork(): Promise<FleetMember | null> {
    for (;;) {
      if (!this.members.some((member) => member.lives())) return null
      const busy = this.atWork().filter((member) => (member.held()?.workedUntil ?? 0) > performance.now() + ENOUGH_WORK)
      const victim = oneOf(busy)
      if (victim !== undefined) return victim
      await this.pause()
    }
  }

  private atWork(): FleetMember[] {
    return this.members.filter((member) => member.lives() && !this.frozen.has(member))
  }

  /** Waits for the end of an attempt whose worker is frozen: true when it was given up, false when it had reported. */
  private async lapses({ exp_id, attempt }: Held): Promise<boolean> {
    for (;;) {
      const current = await this.experiment(exp_id)
      if (current.attempts.some((past) => past.attempt === attempt && past.failure_kind === 'error')) return false
      if (current.attempt > attempt || current.status === 'pending' || current.failure_kind === 'lost') return true
      if (current.status !== 'running') return false
      await this.pause()
    }
  }

  private async putBack({ exp_id }: Held): Promise<void> {
    await this.ask('POST', '/retry', { exp_ids: [exp_id], failure_kind: 'lost' })
  }

  private async isTakenOver({ exp_id, attempt }: Held): Promise<void> {
    while ((await this.experiment(exp_id)).attempt <= attempt) await this.pause()
  }

  private async experiment(expId: string): Promise<Experiment> {
    return (await this.ask('GET', `/experiments/${expId}`)).json<Experiment>()
  }

  /** Until it is answered: the service may be down. */
  private async ask(method: string, path: string, body?: unknown): Promise<Reply> {
    for (;;) {
      const reply = await send(method, this.campaign + path, body).catch(() => null)
      if (reply?.status === 200) return reply
      await this.pause()
    }
  }

  /** @throws Error when the time is over */
  private async pause(): Promise<void> {
    if (performance.now() > this.deadline) {
      const { size } = this.ledger.completions
      throw new Error(`not over in time, with ${size} of ${this.size.experiments} completed`)
    }
    await sleep(PAUSE)
  }

  private async findings(): Promise<Findings> {
    const { text } = await send('GET', this.campaign)
    this.problems.push(...(await endInOrder(this.service)))
    if (text !== readManifest(this.service.dataDir, CAMPAIGN)) this.problems.push('the manifest on disk is another')
    const { experiments } = JSON.parse(text) as CampaignManifest
    const { ledger, size } = this
    const fates = [...this.lapsed].map(({ exp_id, attempt }) => ledger.fateOf(exp_id, attempt))
    const zombies = fates.filter((fate) => fate === 'refused').length
    const problems = [...this.problems, ...ledger.close(experiments, (worker) => this.killed.has(worker))]
    if (experiments.length !== size.experiments) problems.push(`there are ${experiments.length} experiments`)
    if (zombies === 0) problems.push('no zombie reported in vain')
    return {
      counts: {
        experiments: experiments.length,
        claims: ledger.claims.size,
        'workers killed': this.killed.size,
        'frozen past the lease': this.lapsed.size,
        'service kills': this.serviceKills,
        lost: experiments.flatMap(({ attempts }) => attempts).filter(({ failure_kind }) => failure_kind === 'lost')
          .length,
        'refused zombie reports': zombies,
        'late reports that counted': fates.filter((fate) => fate === 'acknowledged').length,
        'other refused reports': ledger.refused.length - zombies,
        'refused heartbeats': ledger.stopped.length,
      },
      problems,
    }
  }
}

function oneOf<T>(all: readonly T[]): T | undefined {
  return all[Math.floor(Math.random() * all.length)]
}
