import { describe, expect, test } from 'vitest'
import { type CampaignIndexes, indexesOf, updated } from '#campaignd/domain/campaign/campaign-indexes.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { newManifest } from '../../support/campaigns/decisions.js'

const COUNT = 5_000

/** What clients choose freely, each as if all experiments had another value. */
const FREE: Readonly<Record<string, (index: number) => Partial<Experiment>>> = {
  backend: (index) => ({ backend: `b${index}` }),
  container: (index) => ({ container: `c${index}` }),
  'backend and container': (index) => ({ backend: `b${index}`, container: `c${index}` }),
  'backend and container than all but ten': (index) => ({ backend: `b${index % 500}`, container: `c${index % 500}` }),
  config_name: (index) => ({ config_name: `n${index}` }),
  'backend and config_name': (index) => ({ config_name: `n${index}`, backend: `b${index}` }),
  'backend and config_name, and is completed': (index) => ({
    config_name: `n${index}`,
    backend: `b${index}`,
    ...COMPLETED,
  }),
  cycle_index: (index) => ({ cycle_index: index }),
  worker: (index) => ({ worker: `w${index}`, status: 'running' }),
  'failures, and failed': (index) => ({ failures: index, status: 'failed' }),
  'losses, and was lost': (index) => ({ losses: index, status: 'failed', failure_kind: 'lost' }),
  'failures and losses, and runs': (index) => ({ failures: index, losses: 2 * index, status: 'running' }),
  claim_id: (index) => ({
    worker: 'w',
    status: 'running',
    lease: { seconds: 60, claim_id: `c${index}`, claimed_at: null },
  }),
}

const COMPLETED = {
  status: 'completed',
  started_at: '2026-03-01T10:00:00Z',
  completed_at: '2026-03-01T10:00:10Z',
} as const

const PENDING = {
  status: 'pending',
  started_at: null,
  completed_at: null,
  retry_count: 0,
  attempt: 0,
  lease: null,
} as const

function madeAnew(experiments: readonly Experiment[]): CampaignIndexes {
  return atOnce(indexesOf(experiments, undefined))
}

function broughtForward(experiments: readonly Experiment[]): CampaignIndexes {
  const before = madeAnew(experiments.map((experiment) => ({ ...experiment, ...PENDING })))
  const after = updated(before, experiments, new Map())
  if (after === null) throw new Error('no experiment is in another group')
  return after
}

describe.each([madeAnew, broughtForward])('the indexes of a campaign, $name', (indexesFrom) => {
  test.each(Object.entries(FREE))(
    'take twice as much at most when each experiment has another %s',
    (_what, valuesOf) => {
      const { experiments } = newManifest('indexes', COUNT)
      const sizeWith = (choose: (index: number) => number) =>
        slotsIn(indexesFrom(experiments.map((one, index) => ({ ...one, ...valuesOf(choose(index)) }))))
      expect(sizeWith((index) => index)).toBeLessThan(2 * sizeWith(() => 0))
    },
  )
})

/** Fields, elements and entries of all that can be reached from a value: close to the words of memory that it takes. */
function slotsIn(root: object): number {
  const seen = new Set<object>([root])
  let slots = 0
  for (const value of seen) {
    const parts = partsOf(value)
    slots += 1 + parts.length
    for (const part of parts) if (typeof part === 'object' && part !== null) seen.add(part)
  }
  return slots
}

function partsOf(value: object): unknown[] {
  if (value instanceof Map) return [...value].flat()
  // Elements of an Int32Array take half a word.
  return value instanceof Int32Array ? [...value.subarray(value.length / 2)] : Object.values(value)
}
