import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { RunProgress } from '#campaignd/domain/experiment/run-progress.js'
import type { WholeDraft } from '#campaignd/domain/operations/draft.js'
import { AttemptBook } from './campaign/attempt-book.js'
import type { PlainCampaign } from './campaign/campaign-model.js'
import { ClaimBook } from './campaign/claim-book.js'
import { swept } from './campaign/lease-model.js'
import { RunBook } from './campaign/run-book.js'
import { TagBook } from './campaign/tag-book.js'

/** Which campaign or experiment a command means: one that is there, or one that is not. */
export interface Choice {
  readonly nth: number
  readonly isAbsent: boolean
}

interface Swept {
  readonly id: string
  readonly lost: number
  readonly isStopped: boolean
}

const BEGIN = Date.parse('2026-03-01T12:00:00.000Z')

/** The model of all that a run knows: its campaigns, which carry its prefix, the time, and what was seen of the opaque. */
export class World {
  readonly campaigns = new Map<string, PlainCampaign>()
  readonly tags = new TagBook()
  readonly attempts = new AttemptBook()
  readonly runs = new RunBook()
  readonly claims = new ClaimBook()
  /** Ids that are or were those of a campaign. */
  readonly ids = new Set<string>()
  readonly drafts = new Map<string, WholeDraft>()
  /** What was done, in the order of the run, to do it again by hand. */
  readonly diary: string[] = []
  private readonly lives = new Map<string, number>()
  private readonly uids = new Map<string, string>()
  private readonly digests = new Map<string, string>()
  private time = BEGIN
  /** Milliseconds, by the clock of the leases, which only goes on; and when by it each worker was last seen. */
  private leaseTime = 0
  private readonly lastSeen = new Map<string, number>()
  /** What the worker of each run told last. */
  private readonly told = new Map<string, RunProgress>()

  /** @param prefix in the ids and in the names of the campaigns of this run, and of no other */
  constructor(readonly prefix: string) {}

  get now(): string {
    return new Date(this.time).toISOString()
  }

  /** When a change of the campaign is made: where the clock was set back, no earlier than the change before it. */
  at({ updated_at }: PlainCampaign): string {
    return this.now < updated_at ? updated_at : this.now
  }

  pass(milliseconds: number): void {
    this.time += milliseconds
  }

  choose({ nth, isAbsent }: Choice): string {
    const live = [...this.campaigns.keys()]
    const gone = [...this.ids].filter((id) => !this.campaigns.has(id))
    const from = isAbsent || live.length === 0 ? [...gone, `${this.prefix}-never`] : live
    return from[nth % from.length] ?? ''
  }

  experimentsOf(id: string): readonly Experiment[] {
    return this.campaigns.get(id)?.experiments ?? []
  }

  /** A campaign came to be: another one than any of its id before. */
  add(campaign: PlainCampaign): void {
    const { campaign_id } = campaign
    this.ids.add(campaign_id)
    this.lives.set(campaign_id, (this.lives.get(campaign_id) ?? 0) + 1)
    this.keep(campaign)
  }

  keep(campaign: PlainCampaign): void {
    this.campaigns.set(campaign.campaign_id, campaign)
    // A lease that is new begins now.
    for (const one of campaign.experiments) {
      if (!this.lastSeen.has(this.leaseOf(campaign.campaign_id, one))) this.see(campaign.campaign_id, one)
    }
  }

  /** Distinguishes the campaign of an id from those that had it before. */
  lifeOf(id: string): string {
    return `${id} life ${this.lives.get(id) ?? 0}`
  }

  /** The worker of the experiment, if it is under a lease, was heard of. */
  renew(id: string, experiment: Experiment): void {
    if (experiment.lease !== null) this.claims.hear(this.leaseOf(id, experiment))
    this.see(id, experiment)
  }

  /** Whether its worker was heard of since the lease began, or the service did. */
  isHeard(id: string, experiment: Experiment): boolean {
    return this.claims.isHeard(this.leaseOf(id, experiment))
  }

  /** The worker of the experiment, which is under a lease, told something. */
  tell(id: string, experiment: Experiment, news: Partial<RunProgress>): void {
    this.told.set(this.leaseOf(id, experiment), { ...this.toldOf(id, experiment), ...news })
  }

  toldOf(id: string, experiment: Experiment): RunProgress {
    const told = experiment.lease === null ? undefined : this.told.get(this.leaseOf(id, experiment))
    return told ?? { progress: null, note: null }
  }

  /** Milliseconds since the worker of the experiment was last seen. */
  idleFor(id: string, experiment: Experiment): number {
    return this.leaseTime - (this.lastSeen.get(this.leaseOf(id, experiment)) ?? this.leaseTime)
  }

  /** When the lease of the experiment will have run out, by the wall clock. */
  leaseEndOf(id: string, experiment: Experiment): string {
    const left = (experiment.lease?.seconds ?? 0) * 1000 - this.idleFor(id, experiment)
    return new Date(this.time + left).toISOString()
  }

  /** Lets time go by for the leases, and for nothing else. */
  passForLeases(milliseconds: number): void {
    this.leaseTime += milliseconds
  }

  /** All leases that ran out are given up. @returns how many in each campaign where there were any, and whether it told them to stop */
  sweep(): Swept[] {
    const lost: Swept[] = []
    for (const [id, before] of this.campaigns) {
      const after = swept(before, (one) => this.idleFor(id, one), this.at(before))
      if (after === before) continue
      const changed = after.experiments.filter((one, index) => one !== before.experiments[index])
      lost.push({ id, lost: changed.length, isStopped: before.cancel_running })
      this.campaigns.set(id, after)
    }
    return lost
  }

  /** Every lease begins anew, since no worker could be seen while there was no service. What workers told is forgotten. */
  restart(): void {
    this.told.clear()
    for (const [id, { experiments }] of this.campaigns) for (const one of experiments) this.see(id, one)
    this.claims.forget()
  }

  /** Which version of the campaign, or of one of its experiments, is the current one. */
  versionOf(id: string, expId?: string): string {
    const campaign = this.campaigns.get(id)
    const one = expId === undefined ? campaign : campaign?.experiments.find(({ exp_id }) => exp_id === expId)
    return `${this.lifeOf(id)} revision ${one?.revision ?? 0}`
  }

  private see(id: string, experiment: Experiment): void {
    if (experiment.lease !== null) this.lastSeen.set(this.leaseOf(id, experiment), this.leaseTime)
  }

  private leaseOf(id: string, { exp_id, attempt }: Experiment): string {
    return `${this.lifeOf(id)} ${exp_id} ${attempt}`
  }

  /** @throws Error when uid or digest are not those that this campaign has, or are those of another */
  recognise({ campaign_id, body }: PlainCampaign, uid: unknown, digest: unknown): void {
    same(this.uids, this.lifeOf(campaign_id), String(uid))
    same(this.digests, body, String(digest))
  }
}

function same(known: Map<string, string>, owner: string, value: string): void {
  const before = known.get(owner)
  if (before === value) return
  if (before !== undefined) throw new Error(`${owner} had ${before}, now it has ${value}`)
  if ([...known.values()].includes(value)) throw new Error(`${owner} has ${value}, which another one has`)
  known.set(owner, value)
}
