import { type Static, Type } from '@sinclair/typebox'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { invalid } from '../errors.ts'
import { requeue } from '../experiment/attempt.ts'
import { type Experiment, ExpId, FailureKind } from '../experiment/experiment.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { StrictObject, StringEnum } from '../schema.ts'
import type { Origin } from './origin.ts'

export const RetryRequest = StrictObject(
  {
    exp_ids: Type.Optional(
      Type.Array(ExpId, { maxItems: 100_000, description: 'Only these; left out: all', examples: [['0047', '0052']] }),
    ),
    status: Type.Optional(
      StringEnum(['failed', 'skipped', 'completed'], {
        description: 'Which to put back; `completed` only with include_completed. Default: failed',
        examples: ['failed'],
      }),
    ),
    failure_kind: Type.Optional(FailureKind),
    include_completed: Type.Optional(
      Type.Boolean({ description: 'Completed ones too: their results no longer count. Default: false' }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: 'Only report what would happen. Default: false' })),
  },
  {
    $id: 'RetryRequest',
    description: 'Which experiments to put back to pending, with no failures and losses',
    examples: [{ failure_kind: 'oom' }],
  },
)

export type RetryRequest = Static<typeof RetryRequest>

export interface Retried {
  /** Put back to pending, in manifest order. */
  readonly retried: readonly string[]
  /** Requested by id, and left as they are. */
  readonly skipped: readonly { readonly exp_id: string; readonly reason: string }[]
  readonly revision: number
}

/**
 * Puts experiments back to pending; their budgets begin anew. A repeated call changes nothing.
 * @throws DomainError `invalid` for status completed without include_completed
 */
export function* retry(campaign: Campaign, request: RetryRequest, { now, actor }: Origin): LongWork<Decision<Retried>> {
  if (request.status === 'completed' && request.include_completed !== true) {
    throw invalid({ pointer: '/status', detail: 'completed is put back only with include_completed: true' })
  }
  const { chosen, skipped } = yield* choose(campaign, request)
  const retried = chosen.map(({ exp_id }) => exp_id)
  if (chosen.length === 0 || request.dry_run === true) {
    return { changes: null, result: { retried, skipped, revision: campaign.header.revision } }
  }
  const revision = campaign.nextRevision
  const changed: Experiment[] = []
  for (const [index, experiment] of chosen.entries()) {
    changed.push({ ...requeue(experiment, now, 'retry'), actor, revision })
    if (isBreak(index)) yield
  }
  const changes = { at: now, changed }
  return { changes, next: yield* campaign.revised(changes), result: { retried, skipped, revision } }
}

interface Choice {
  /** In manifest order. */
  readonly chosen: readonly Experiment[]
  readonly skipped: Retried['skipped']
}

function* choose(campaign: Campaign, request: RetryRequest): LongWork<Choice> {
  if (request.exp_ids === undefined) {
    const wanted: Experiment[] = []
    let looked = 0
    for (const one of campaign.inStatus(...wantedStatuses(request))) {
      if (reasonToSkip(one, request) === null) wanted.push(one)
      looked += 1
      if (isBreak(looked)) yield
    }
    return { chosen: wanted, skipped: [] }
  }
  const positions: number[] = []
  const skipped: { exp_id: string; reason: string }[] = []
  const seen = new Set<string>()
  for (const [index, exp_id] of request.exp_ids.entries()) {
    if (isBreak(index)) yield
    if (seen.has(exp_id)) continue
    seen.add(exp_id)
    const position = campaign.positionOf(exp_id)
    const reason = reasonToSkip(campaign.get(exp_id), request)
    if (reason !== null) skipped.push({ exp_id, reason })
    else if (position !== undefined) positions.push(position)
  }
  const chosen: Experiment[] = []
  for (const [index, position] of Uint32Array.from(positions).sort().entries()) {
    chosen.push(campaign.experiments.at(position))
    if (isBreak(index)) yield
  }
  return { chosen, skipped }
}

function wantedStatuses({ status = 'failed', include_completed }: RetryRequest): ExperimentStatus[] {
  return include_completed === true && status !== 'completed' ? [status, 'completed'] : [status]
}

function reasonToSkip(experiment: Experiment | undefined, request: RetryRequest): string | null {
  if (experiment === undefined) return 'there is no such experiment'
  const { status, failure_kind } = experiment
  if (!wantedStatuses(request).includes(status)) return `it is ${status}`
  if (status === 'failed' && request.failure_kind !== undefined && failure_kind !== request.failure_kind) {
    return `it failed with ${failure_kind ?? 'error'}`
  }
  return null
}
