import type { Campaign } from '../../campaign/campaign.ts'
import { DomainError } from '../../errors.ts'
import type { Experiment } from '../../experiment/experiment.ts'
import { runIdOf } from '../../experiment/run-id.ts'
import type { ClaimRequest } from './claim-request.ts'

/** A claim that was answered, as the process remembers it. */
export interface RememberedClaim {
  /** Tells its call from others: worker and body. */
  readonly call: string
  /** How many experiments it got. */
  readonly count: number
}

/** A report that came along with a claim. */
export interface ReportName {
  readonly exp_id: string
  readonly run_id?: string | undefined
  readonly attempt?: number | undefined
}

/** What is known of an earlier claim with a claim_id. */
export interface EarlierUse {
  /** Of the present call. */
  readonly call: string
  /** Null: not by this process, or long ago. What its leases store is all that is known then. */
  readonly remembered: RememberedClaim | null
  /** The experiments of which something was heard since they were claimed, or whose leases have ended. */
  readonly heard: ReadonlySet<string>
  /** What comes along with the present call. */
  readonly reported: readonly ReportName[]
}

/**
 * What an earlier claim with the same claim_id holds: a repeat, whose response was lost, gets the same. That it was not lost shows as soon
 * as something is heard of a run: then it is another claim that happens to have the id, as of a container that starts again.
 *
 * @returns null when there was none, and the claim is a new one
 * @throws DomainError `claim-id-used`
 */
export function heldAgain(
  campaign: Campaign,
  { worker, claim_id }: ClaimRequest,
  earlier: EarlierUse | null,
  now: string,
): readonly Experiment[] | null {
  if (claim_id === undefined || earlier === null) return null
  const held = campaign.queues.claimedAs(claim_id).map((position) => campaign.experiments.at(position))
  const { call, remembered, heard, reported } = earlier
  if (remembered === null && held.length === 0) return null
  const isOther = remembered === null ? held.some((one) => one.worker !== worker) : remembered.call !== call
  if (isOther) throw claimIdUsed(claim_id, 'by another worker, or for something else')
  const isOver = remembered === null ? held.some((one) => isLate(one, now)) : held.length < remembered.count
  if (isOver) throw claimIdUsed(claim_id, 'and what it claimed is not running any more, or its time is over')
  const { uid } = campaign.header
  if (held.some((one) => heard.has(one.exp_id) || reported.some((report) => isAbout(report, one, uid)))) {
    throw claimIdUsed(claim_id, 'and its response arrived, since its runs have been heard of')
  }
  return held
}

/** Whether a report names the run that goes on, which only the response to the claim told. */
function isAbout({ exp_id, run_id, attempt }: ReportName, experiment: Experiment, uid: string): boolean {
  if (exp_id !== experiment.exp_id) return false
  return run_id === undefined ? attempt === experiment.attempt : run_id === runIdOf(uid, experiment)
}

/** Milliseconds after a claim in which a restart leaves it repeatable: what was heard before the restart is not known after it. */
const LATEST = 300_000

/** Whether its lease would have run out by now, had nothing been heard, or it was made long before the restart. */
function isLate({ lease }: Experiment, now: string): boolean {
  const claimedAt = lease?.claimed_at ?? null
  const most = Math.min((lease?.seconds ?? 0) * 1000, LATEST)
  return claimedAt !== null && Date.parse(now) - Date.parse(claimedAt) > most
}

function claimIdUsed(claimId: string, how: string): DomainError {
  const detail = `The claim_id ${JSON.stringify(claimId)} was used before, ${how}. Take a new one for each claim.`
  return new DomainError('claim-id-used', detail)
}
