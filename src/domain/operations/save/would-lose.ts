import { type Static, Type } from '@sinclair/typebox'
import { DomainError } from '../../errors.ts'
import { ExpId } from '../../experiment/experiment.ts'
import { StrictObject, StringEnum } from '../../schema.ts'

/** Experiments that a refusal names. */
const NAMED = 10

const Reason = StringEnum(['completed', 'leased', 'missing'], {
  description:
    '`completed`: it is completed, and the body has it otherwise. `leased`: it runs under a live lease, and the body has it otherwise. ' +
    '`missing`: the body does not have it',
})

type Reason = Static<typeof Reason>

export const WouldLose = StrictObject(
  {
    count: Type.Integer({ minimum: 1, description: 'How many' }),
    first: Type.Array(StrictObject({ exp_id: ExpId, reason: Reason }), {
      maxItems: NAMED,
      description: 'The first ones, each with the reason',
    }),
  },
  { description: 'What a manifest that was saved would have overwritten or removed' },
)

/** What a manifest that is saved would lose: how many experiments, and which are the first. */
export class Losses {
  private count = 0
  private readonly first: Static<typeof WouldLose>['first'] = []
  private readonly reasons = new Set<Reason>()

  add(exp_id: string, reason: Reason): void {
    this.count += 1
    this.reasons.add(reason)
    if (this.first.length < NAMED) this.first.push({ exp_id, reason })
  }

  /** @throws DomainError `would-lose` when there are any */
  refuseAny(campaignId: string): void {
    const { count, first, reasons } = this
    if (count === 0) return
    const named = first.map(({ exp_id, reason }) => `${exp_id} (${reason})`).join(', ')
    const detail = [
      `Campaign ${campaignId} would lose ${count} experiment${count === 1 ? '' : 's'}: ${named}${count > first.length ? ', ...' : ''}.`,
      'Nothing was changed.',
      ...(reasons.has('missing') ? ['What is missing is never removed, also not with ?force=true: add it.'] : []),
      ...(reasons.has('completed') || reasons.has('leased')
        ? ['Get the campaign and save what it has, or overwrite what is completed or leased with ?force=true.']
        : []),
    ].join(' ')
    throw new DomainError('would-lose', detail, { would_lose: { count, first } })
  }
}
