import type { Campaign, Decision } from '../../campaign/campaign.ts'
import type { Experiment } from '../../experiment/experiment.ts'
import type { LongWork } from '../../long-work.ts'
import type { ReportOrigin } from '../report.ts'
import { asShrunk, type BatchItem, type BatchResult, judgeReports } from '../report-batch.ts'
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
}

/**
 * Applies reports, each decided by itself, then claims on what they leave, all in one revision. A repeat reports nothing on what it has
 * claimed: that was about an attempt before.
 * @throws DomainError as `claim`: then no report counts
 */
export function* reportAndClaim(
  campaign: Campaign,
  { request, reports, earlier }: ReportingClaim,
  origin: ReportOrigin,
): LongWork<Decision<ReportedAndClaimed>> {
  refuseUnknownNames(campaign, request)
  const again = heldAgain(campaign, request, earlier, origin.now)
  const held = new Map(again?.map((one) => [one.exp_id, one]))
  const { changed, results } = yield* judgeReports(campaign, reports, { ...origin, pointer: '/reports', held })
  const isRepeated = again !== null
  const granted = again ?? (yield* startedAfter(campaign, changed, request, origin))
  if (!isRepeated) for (const one of granted) changed.set(one.exp_id, one)
  if (changed.size === 0) {
    return { changes: null, result: { ...claimed(campaign, request, granted, origin.now), isRepeated, results } }
  }
  const changes = { at: origin.now, changed: [...changed.values()] }
  const next = yield* campaign.revised(changes)
  const shown = next.shrunk === 0 ? results : results.map((result) => asShrunk(result, next))
  return {
    changes,
    next,
    result: { ...claimed(next.campaign, request, granted, origin.now), isRepeated, results: shown },
  }
}

/** The next experiments, once those that are changed are so; in the same revision. */
function* startedAfter(
  campaign: Campaign,
  changed: ReadonlyMap<string, Experiment>,
  request: ClaimRequest,
  origin: ReportOrigin,
): LongWork<Experiment[]> {
  const changes = { at: origin.now, changed: [...changed.values()] }
  const between = changed.size === 0 ? campaign : (yield* campaign.revised(changes)).campaign
  return started(between, request, origin, campaign.nextRevision)
}
