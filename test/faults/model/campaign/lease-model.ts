import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { type PlainCampaign, revised } from './campaign-model.js'

export class LeaseModel {
  /** Milliseconds, by a clock that only goes on. */
  private time = 0
  private readonly lastSeen = new Map<string, number>()

  pass(milliseconds: number): void {
    this.time += milliseconds
  }

  /** @param owner the campaign, distinguished from an earlier one of its id */
  renew(owner: string, experiment: Experiment): void {
    if (experiment.lease !== null) this.lastSeen.set(keyOf(owner, experiment), this.time)
  }

  /** Takes in the campaign as it is now: a lease that is new begins now. */
  add(owner: string, { experiments }: PlainCampaign): void {
    for (const one of experiments) if (!this.lastSeen.has(keyOf(owner, one))) this.renew(owner, one)
  }

  /** Milliseconds since the worker was last seen. */
  idleFor(owner: string, experiment: Experiment): number {
    return this.time - (this.lastSeen.get(keyOf(owner, experiment)) ?? this.time)
  }

  /** The campaign once all that ran out is given up, in one revision; the very same when nothing did. */
  swept(owner: string, campaign: PlainCampaign, now: string): PlainCampaign {
    const revision = campaign.revision + 1
    const experiments = campaign.experiments.map((one) => {
      const idle = this.idleFor(owner, one) / 1000
      return one.lease !== null && idle > one.lease.seconds ? { ...lost(one, idle, now), revision } : one
    })
    const isSame = experiments.every((one, index) => one === campaign.experiments[index])
    return isSame ? campaign : revised(campaign, now, { experiments })
  }
}

/** What an error of a lost attempt must name, read from its words. */
export function lostError(worker: string | null, idle: number, seconds: number): string {
  return `lost: ${worker ?? 'no worker'}, ${Math.round(idle)} s, ${seconds} s`
}

function lost(one: Experiment, idle: number, now: string): Experiment {
  const error = lostError(one.worker, idle, one.lease?.seconds ?? 0)
  return { ...one, status: 'failed', failure_kind: 'lost', error, completed_at: now, lease: null }
}

function keyOf(owner: string, { exp_id, attempt }: Experiment): string {
  return `${owner} ${exp_id} ${attempt}`
}
