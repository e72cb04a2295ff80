import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ClaimRequest } from '#campaignd/domain/operations/claim.js'
import { isWithinBudget, mayComeBack } from './budget-model.js'
import { type PlainCampaign, revised } from './campaign-model.js'
import { started } from './experiment-model.js'
import { Refused } from './refused.js'

export interface Claimed {
  /** The very same when the claim took nothing. */
  readonly campaign: PlainCampaign
  readonly experiments: readonly Experiment[]
  readonly kind: 'handed out' | 'the same claims' | 'nothing'
}

/** The next ones that a worker can run; or what a claim of its and of that id holds, with any other filter. */
export function claimed(before: PlainCampaign, request: ClaimRequest, now: string): Claimed {
  refuseUnknown(before, request)
  const { worker, claim_id = null, limit = 1, lease_seconds: seconds = before.settings.lease_seconds } = request
  const held = before.experiments.filter(
    (one) => claim_id !== null && one.lease?.claim_id === claim_id && one.worker === worker,
  )
  if (held.length > 0) return { campaign: before, experiments: held, kind: 'the same claims' }
  const next = before.settings.paused ? [] : claimable(before, request).slice(0, limit)
  if (next.length === 0) return { campaign: before, experiments: [], kind: 'nothing' }
  const by = { worker, actor: null, lease: { seconds, claim_id, claimed_at: now } }
  const revision = before.revision + 1
  const taken = new Map(next.map((one) => [one, { ...started(one, now), ...by, revision }]))
  const experiments = before.experiments.map((one) => taken.get(one) ?? one)
  return { campaign: revised(before, now, { experiments }), experiments: [...taken.values()], kind: 'handed out' }
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
