import { expect, test } from 'vitest'
import { hasEnded, stateOf } from '#campaignd/domain/campaign/campaign-state.js'
import { type CampaignSettings, DEFAULT_SETTINGS } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { progressOf } from '#campaignd/domain/views/progress.js'
import { campaignOf } from '../../support/campaigns/drafts.js'

const PENDING = { status: 'pending' } as const
const REQUEUED = { status: 'pending', attempt: 1 } as const
const RUNNING = { status: 'running' } as const
const COMPLETED = { status: 'completed' } as const
const FAILED = { status: 'failed' } as const
const FAILED_TWICE = { status: 'failed', attempt: 2 } as const
const LOST = { status: 'failed', failure_kind: 'lost', failures: 0, losses: 1 } as const
const LOST_TWICE = { ...LOST, losses: 2 } as const
const SKIPPED = { status: 'skipped' } as const

const PAUSED = { paused: true }
const ONE_RETRY = { max_retries: 1 }
const ONE_LOSS = { max_losses: 1 }

type Case = [
  state: string,
  ended: boolean,
  because: string,
  experiments: readonly Partial<Experiment>[],
  settings?: Partial<CampaignSettings>,
]

const CASES: readonly Case[] = [
  ['completed', true, 'all are completed', [COMPLETED, COMPLETED]],
  ['completed', true, 'all are completed or skipped', [COMPLETED, SKIPPED]],
  ['completed', true, 'all are skipped', [SKIPPED, SKIPPED]],
  ['completed', true, 'all are completed, though it is paused', [COMPLETED], PAUSED],
  ['paused', false, 'it is paused, though something still runs', [RUNNING, PENDING], PAUSED],
  ['paused', true, 'it is paused, though nothing is left but failed ones', [COMPLETED, FAILED], PAUSED],
  ['running', false, 'something runs', [COMPLETED, RUNNING, FAILED]],
  ['failed', true, 'nothing is left but failed ones', [COMPLETED, FAILED, SKIPPED]],
  ['failed', true, 'the failed ones are out of retries', [COMPLETED, FAILED_TWICE], ONE_RETRY],
  ['idle', false, 'one of the failed ones can be claimed again', [FAILED_TWICE, FAILED], ONE_RETRY],
  ['idle', false, 'a lost one can be claimed again, which uses up no retry', [FAILED_TWICE, LOST], ONE_LOSS],
  ['failed', true, 'it was lost too often', [LOST_TWICE], { ...ONE_LOSS, max_retries: 9 }],
  ['pending', false, 'it has no experiments yet', []],
  ['idle', false, 'some are done, and nothing runs', [COMPLETED, PENDING]],
  ['idle', false, 'some failed, some are pending', [FAILED, PENDING]],
  ['idle', false, 'it was started once, and all were requeued', [REQUEUED, PENDING]],
  ['pending', false, 'nothing was started', [PENDING, PENDING]],
  ['pending', false, 'nothing was started, though some are skipped', [SKIPPED, PENDING]],
]

test.each(CASES)('a campaign is %s, and has ended (%s), when %s', (state, ended, _because, experiments, settings) => {
  const campaign = campaignOf(experiments, {
    settings: { ...DEFAULT_SETTINGS, ...settings },
  })
  expect(stateOf(campaign)).toBe(state)
  expect(hasEnded(campaign)).toBe(ended)
})

test('the progress of a campaign has counts by cycle and backend for up to 200 of them', () => {
  const spread = (count: number) =>
    progressOf(
      campaignOf(
        Array.from({ length: count }, (_, index) => ({ ...PENDING, cycle_index: index, backend: `b${index}` })),
      ),
    )
  expect(Object.keys(spread(200).by_cycle ?? {})).toHaveLength(200)
  expect(Object.keys(spread(200).by_backend ?? {})).toHaveLength(200)
  expect(spread(201)).toMatchObject({ total: 201, by_cycle: null, by_backend: null })
})
