import { expect, test } from 'vitest'
import { hasEnded, stateOf } from '#campaignd/domain/campaign/campaign-state.js'
import type { CampaignSettings } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { campaignOf } from '../../support/campaigns/drafts.js'

const PENDING = { status: 'pending' } as const
const REQUEUED = { status: 'pending', attempt: 1 } as const
const RUNNING = { status: 'running' } as const
const COMPLETED = { status: 'completed' } as const
const FAILED = { status: 'failed' } as const
const FAILED_TWICE = { status: 'failed', attempt: 2 } as const
const SKIPPED = { status: 'skipped' } as const

const PAUSED = { paused: true }
const ONE_RETRY = { max_retries: 1 }

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
  ['idle', false, 'some are done, and nothing runs', [COMPLETED, PENDING]],
  ['idle', false, 'some failed, some are pending', [FAILED, PENDING]],
  ['idle', false, 'it was started once, and all were requeued', [REQUEUED, PENDING]],
  ['pending', false, 'nothing was started', [PENDING, PENDING]],
  ['pending', false, 'nothing was started, though some are skipped', [SKIPPED, PENDING]],
]

test.each(CASES)('a campaign is %s, and has ended (%s), when %s', (state, ended, _because, experiments, settings) => {
  const campaign = campaignOf(experiments, {
    settings: { max_retries: 0, lease_seconds: 60, paused: false, ...settings },
  })
  expect(stateOf(campaign)).toBe(state)
  expect(hasEnded(campaign)).toBe(ended)
})
