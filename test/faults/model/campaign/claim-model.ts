import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ClaimRequest } from '#campaignd/domain/operations/claim/claim-request.js'
import { benchOf } from './bench-model.js'
import { isWithinBudget, mayComeBack } from './budget-model.js'
import { type PlainCampaign, revised } from './campaign-model.js'
import { started } from './experiment-model.js'
import { Refused } from './refused.js'

export interface Claimed {
  /** The very same when the claim took nothing. */
  readonly campaign: PlainCampaign
  readonly experiments: readonly Experiment[]
  readonly kind: 'handed out' | 'the same claims' | 'nothing' | 'benched'
  /** Milliseconds since 1970. */
  readonly benchedUntil?: number
  readonly isTrial?: boolean
}

/** What is remembered of the claim_id of a claim. */
export interface Remembered {
  /** Of the claim that used it before. */
  readonly earlier: { readonly call: string; readonly count: number } | undefined
  /** Of the claim that is made. */
  readonly call: string
  readonly isHeard: (experiment: Experiment) => boolean
}

/** The next ones that a worker can run; or what the claim that it repeats has got. */
export function claimed(
  before: PlainCampaign,
  request: ClaimRequest,
  now: string,
  remembered: Remembered | null = null,
): Claimed {
  refuseUnknown(before, request)
  const { worker, claim_id = null, lease_seconds: seconds = before.settings.lease_seconds } = request
  const held = before.experiments.filter((one) => claim_id !== null && one.lease?.claim_id === claim_id)
  if (held.length > 0 || remembered?.earlier !== undefined) {
    refuseUsed(held, worker, now, remembered)
    return { campaign: before, experiments: held, kind: 'the same claims' }
  }
  const bench = benchOf(before, worker, now)
  if (typeof bench === 'number') {
    const isReason = !before.settings.paused && claimable(before, request).length > 0
    const told = isReason ? { benchedUntil: bench } : {}
    return { campaign: before, experiments: [], kind: 'benched', ...told }
  }
  const most = bench === 'on trial' ? 1 : (request.limit ?? 1)
  const next = before.settings.paused ? [] : claimable(before, request).slice(0, most)
  if (next.length === 0) return { campaign: before, experiments: [], kind: 'nothing' }
  const by = { worker, actor: null, lease: { seconds, claim_id, claimed_at: now } }
  const revision = before.revision + 1
  const taken = new Map(next.map((one) => [one, { ...started(one, now), ...by, revision }]))
  const experiments = before.experiments.map((one) => taken.get(one) ?? one)
  return {
    campaign: revised(before, now, { experiments }),
    experiments: [...taken.values()],
    kind: 'handed out',
    isTrial: bench === 'on trial',
  }
}

/** @throws Refused when the claim is no repeat, or something was heard of its runs */
function refuseUsed(held: readonly Experiment[], worker: string, now: string, remembered: Remembered | null): void {
  const { earlier, call, isHeard } = remembered ?? { earlier: undefined, call: '', isHeard: () => false }
  const isLate = ({ lease }: Experiment) =>
    Date.parse(now) - Date.parse(lease?.claimed_at ?? now) > (lease?.seconds ?? 0) * 1000
  const isRepeat =
    earlier === undefined
      ? held.every((one) => one.worker === worker && !isLate(one))
      : earlier.call === call && earlier.count === held.length
  if (!isRepeat || held.some(isHeard)) throw new Refused(409, 'claim-id-used')
}

/** @throws Refused for a name that no experiment has, with those that there are, in the order of the manifest */
function refuseUnknown({ experiments }: PlainCampaign, request: ClaimRequest): void {
  for (const key of ['backend', 'container'] as const) {
    const names = [...new Set(experiments.map((one) => one[key]))]
    const isUnknown = request[key] !== undefined && !names.includes(request[key])
    if (isUnknown && names.length > 0) throw new Refused(422, 'nothing-matches', { [`${key}s`]: names })
  }
}

/** True when a worker need not ask again: nothing that it can run waits, or runs and may wait again. */
export function isDone(campaign: PlainCampaign, request: ClaimRequest): boolean {
  const { settings, cancel_running, experiments } = campaign
  // Who stops as told puts its experiment back, whatever was used up.
  const mayCome = (one: Experiment) => (cancel_running ? one.status === 'running' : mayComeBack(one, settings))
  const isOpen = experiments.some((one) => isFor(request, one) && mayCome(one))
  // Experiments may still be appended to a campaign that has none.
  return !isOpen && experiments.length > 0 && claimable(campaign, request).length === 0
}

function claimable({ experiments, settings }: PlainCampaign, request: ClaimRequest): Experiment[] {
  const suitable = experiments.filter((one) => isFor(request, one))
  const again = suitable.filter((one) => isWithinBudget(one, settings))
  return [...suitable.filter(({ status }) => status === 'pending'), ...again]
}

function isFor({ backend, container }: ClaimRequest, one: Experiment): boolean {
  return (backend ?? one.backend) === one.backend && (container ?? one.container) === one.container
}
