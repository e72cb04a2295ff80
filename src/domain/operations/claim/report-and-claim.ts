import type { Campaign, Decision } from '../../campaign/campaign.ts'
import type { Experiment } from '../../experiment/experiment.ts'
import type { LongWork } from '../../long-work.ts'
import type { ReportOrigin } from '../report.ts'
import { asShrunk, type BatchItem, type BatchResult, updateBatch } from '../report-batch.ts'
import { type Claimed, claimed, refuseUnknownNames, started } from './claim.ts'
import type { ClaimRequest } from './claim-request.ts'
import { type EarlierUse, heldAgain } from './repeated-claim.ts'

export interface ReportedAndClaimed extends Claimed {
  /** One for each report, in their order. */
  readonly results: readonly BatchResult[]
}

/** A claim that comes with what its worker finished. */
export interface ReportingClaim {
  readonly request: ClaimRequest
  readonly reports: readonly BatchItem[]
  readonly earlier: EarlierUse | null
  /** False: its caller has left. What it reported counts all the same. */
  readonly isWanted: boolean
}

/**
 * Applies reports, each decided by itself, then claims on what they leave, all in one revision.
 * @throws DomainError as `claim`: then no report counts
 */
export function* reportAndClaim(
  campaign: Campaign,
  { request, reports, earlier, isWanted }: ReportingClaim,
  origin: ReportOrigin,
): LongWork<Decision<ReportedAndClaimed>> {
  refuseUnknownNames(campaign, request)
  const again = heldAgain(campaign, request, earlier, origin.now)
  const reported = yield* updateBatch(campaign, reports, { ...origin, atomic: false, pointer: '/reports' })
  const between = reported.next?.campaign ?? campaign
  const isNew = again === null && isWanted
  const granted = isNew ? started(between, request, origin, campaign.nextRevision) : []
  const changed = new Map<string, Experiment>()
  for (const one of [...(reported.changes?.changed ?? []), ...granted]) changed.set(one.exp_id, one)
  if (changed.size === 0) {
    return { changes: null, result: { ...claimed(campaign, request, again ?? []), results: reported.result } }
  }
  const changes = { at: origin.now, changed: [...changed.values()] }
  const next = yield* campaign.revised(changes)
  const results = next.shrunk === 0 ? reported.result : reported.result.map((result) => asShrunk(result, next))
  return { changes, next, result: { ...claimed(next.campaign, request, again ?? granted), results } }
}
