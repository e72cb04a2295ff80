import { type Static, Type } from '@sinclair/typebox'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { invalid } from '../errors.ts'
import { requeue } from '../experiment/attempt.ts'
import { type Experiment, ExpId, FailureKind } from '../experiment/experiment.ts'
import type { ExperimentStatus } from '../experiment/status.ts'
import { StrictObject, StringEnum } from '../schema.ts'

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
  { $id: 'RetryRequest', description: 'Which experiments to put back to pending', examples: [{ failure_kind: 'oom' }] },
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
 * Puts experiments back to pending. A repeated call changes nothing.
 * @throws DomainError `invalid` for status completed without include_completed
 */
export function retry(campaign: Campaign, request: RetryRequest, now: string): Decision<Retried> {
  if (request.status === 'completed' && request.include_completed !== true) {
    throw invalid({ pointer: '/status', detail: 'completed is put back only with include_completed: true' })
  }
  const asked = request.exp_ids === undefined ? null : [...new Set(request.exp_ids)]
  const candidates = asked === null ? campaign.inStatus(...wantedStatuses(request)) : byId(campaign, asked)
  const chosen = [...candidates].filter((one) => reasonToSkip(one, request) === null)
  const skipped = (asked ?? []).flatMap((exp_id) => {
    const reason = reasonToSkip(campaign.get(exp_id), request)
    return reason === null ? [] : [{ exp_id, reason }]
  })
  const retried = chosen.map(({ exp_id }) => exp_id)
  if (chosen.length === 0 || request.dry_run === true) {
    return { changes: null, result: { retried, skipped, revision: campaign.header.revision } }
  }
  const revision = campaign.nextRevision
  const changed = chosen.map((experiment) => ({ ...requeue(experiment, now), revision }))
  return { changes: { at: now, changed }, result: { retried, skipped, revision } }
}

/** In manifest order. */
function byId(campaign: Campaign, asked: readonly string[]): Experiment[] {
  return asked
    .flatMap((exp_id) => campaign.get(exp_id) ?? [])
    .sort((a, b) => (campaign.positionOf(a.exp_id) ?? 0) - (campaign.positionOf(b.exp_id) ?? 0))
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
