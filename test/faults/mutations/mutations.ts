import type { Fault } from '../fault.js'
import { order } from '../rows/order.js'
import { powerLoss } from '../rows/power-loss.js'
import { unseenState } from '../rows/unseen-state.js'
import { zombie } from '../rows/zombie.js'
import type { Change } from './marks.js'

/** One step of the write path switched off, which a row must notice. */
export interface Mutation {
  readonly mark: string
  readonly change: Change
  readonly row: Fault
  /** What the row says when it fails for this and not for something else. */
  readonly sign: RegExp
  /** The row sees it also without strace. */
  readonly untraced?: true
}

export const MUTATIONS: readonly Mutation[] = [
  {
    mark: 'no-sweep-at-take-over',
    change: () => '0',
    row: zombie,
    sign: /stopped inside its rename: the zombie wrote untouched\.json/,
  },
  {
    mark: 'no-lock-check-after-rename',
    change: 'removed',
    row: zombie,
    sign: /its lock replaced: the owner acknowledged: 200/,
  },
  { mark: 'no-flush-before-rename', change: 'removed', row: order, sign: /\S+ was answered before it was durable/ },
  {
    mark: 'no-flush-after-rename',
    change: 'removed',
    row: order,
    sign: /\b0 commits, [^;]* was answered before it was durable/,
  },
  {
    mark: 'answer-before-rename',
    change: (commit) => `(batch.answer(), ${commit})`,
    row: order,
    sign: /\S+ was answered before it was durable/,
  },
  {
    // A repeat or a refusal, before the commit that it was decided on.
    mark: 'unchanged-answered-early',
    change: () => '(call.answer(), { add: () => undefined })',
    row: unseenState,
    sign: /answered (200|409) during the flush of the temp file/,
  },
  {
    // With the commit before the one that it was decided on.
    mark: 'unchanged-answered-with-commit-before',
    change: () => 'this.committing',
    row: unseenState,
    sign: /answered (200|409) during the rename behind another commit/,
  },
  {
    mark: 'no-lock-check-without-write',
    change: () => "'newest'",
    row: zombie,
    sign: /the (zombie|owner) answered: (200|409)/,
    untraced: true,
  },
  {
    mark: 'short-write-taken-as-whole',
    change: (written) => `(${written}, waiting.slice(0, 1024).reduce((length, part) => length + part.length, 0))`,
    row: powerLoss,
    sign: /in two writes: [^;]* reads as corrupt/,
    untraced: true,
  },
]
