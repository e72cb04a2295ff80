import { describe, expect, test } from 'vitest'
import { hasEnded, stateOf } from '#campaignd/domain/campaign/campaign-state.js'
import type { CampaignSettings } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { progressOf } from '#campaignd/domain/views/progress.js'
import { campaignOf } from '../../support/campaigns/drafts.js'

const PENDING = { status: 'pending' } as const
const REQUEUED = { status: 'pending', attempt: 1 } as const
const RUNNING = { status: 'running' } as const
const COMPLETED = { status: 'completed' } as const
const FAILED = { status: 'failed' } as const
const FAILED_TWICE = { status: 'failed', attempt: 2 } as const
const SKIPPED = { status: 'skipped' } as const

interface Case {
  readonly state: string
  readonly ended: boolean
  readonly because: string
  readonly experiments: readonly Partial<Experiment>[]
  readonly settings?: Partial<CampaignSettings>
}

const CASES: readonly Case[] = [
  { state: 'completed', ended: true, because: 'all are completed', experiments: [COMPLETED, COMPLETED] },
  { state: 'completed', ended: true, because: 'all are completed or skipped', experiments: [COMPLETED, SKIPPED] },
  { state: 'completed', ended: true, because: 'all are skipped', experiments: [SKIPPED, SKIPPED] },
  {
    state: 'completed',
    ended: true,
    because: 'all are completed, though it is paused',
    experiments: [COMPLETED],
    settings: { paused: true },
  },
  {
    state: 'paused',
    ended: false,
    because: 'it is paused, though something still runs',
    experiments: [RUNNING, PENDING],
    settings: { paused: true },
  },
  {
    state: 'paused',
    ended: true,
    because: 'it is paused, though nothing is left but failed ones',
    experiments: [COMPLETED, FAILED],
    settings: { paused: true },
  },
  { state: 'running', ended: false, because: 'something runs', experiments: [COMPLETED, RUNNING, FAILED] },
  {
    state: 'failed',
    ended: true,
    because: 'nothing is left but failed ones',
    experiments: [COMPLETED, FAILED, SKIPPED],
  },
  {
    state: 'failed',
    ended: true,
    because: 'the failed ones are out of retries',
    experiments: [COMPLETED, FAILED_TWICE],
    settings: { max_retries: 1 },
  },
  {
    state: 'idle',
    ended: false,
    because: 'one of the failed ones can be claimed again',
    experiments: [FAILED_TWICE, FAILED],
    settings: { max_retries: 1 },
  },
  { state: 'idle', ended: false, because: 'some are done, and nothing runs', experiments: [COMPLETED, PENDING] },
  { state: 'idle', ended: false, because: 'some failed, some are pending', experiments: [FAILED, PENDING] },
  {
    state: 'idle',
    ended: false,
    because: 'it was started once, and all were requeued',
    experiments: [REQUEUED, PENDING],
  },
  { state: 'pending', ended: false, because: 'nothing was started', experiments: [PENDING, PENDING] },
  {
    state: 'pending',
    ended: false,
    because: 'nothing was started, though some are skipped',
    experiments: [SKIPPED, PENDING],
  },
]

test.each(CASES)('a campaign is $state when $because', ({ state, experiments, settings }) => {
  expect(stateOf(campaign(experiments, settings))).toBe(state)
})

test.each(CASES)('a campaign has ended ($ended) when $because', ({ ended, experiments, settings }) => {
  expect(hasEnded(campaign(experiments, settings))).toBe(ended)
})

describe('the progress of a campaign', () => {
  const mixed = campaign([
    { ...COMPLETED, backend: 'vllm', cycle_index: 0, started_at: '2026-03-01T10:00:00.5Z' },
    { ...RUNNING, backend: 'vllm', cycle_index: 1, started_at: '2026-03-01T11:00:00Z' },
    { ...FAILED, backend: 'pytorch', cycle_index: 0, failure_kind: 'oom', started_at: '2026-03-01T10:00:00Z' },
    { ...PENDING, backend: 'pytorch', cycle_index: 1 },
  ])
  const NONE = { pending: 0, running: 0, completed: 0, failed: 0, skipped: 0 }

  test('the progress of a campaign adds up its experiments', () => {
    const { campaign_id, campaign_name, revision, updated_at } = mixed.header
    expect(progressOf(mixed)).toEqual(
      expect.objectContaining({
        campaign_id,
        campaign_name,
        revision,
        updated_at,
        state: 'running',
        total: 4,
        counts: { ...NONE, completed: 1, running: 1, failed: 1, pending: 1 },
        remaining: 2,
        progress_fraction: 0.25,
        is_complete: false,
        started_at: '2026-03-01T10:00:00Z',
        failures: { oom: 1 },
        by_backend: { vllm: { ...NONE, completed: 1, running: 1 }, pytorch: { ...NONE, failed: 1, pending: 1 } },
        by_cycle: { 0: { ...NONE, completed: 1, failed: 1 }, 1: { ...NONE, running: 1, pending: 1 } },
      }),
    )
  })

  test('the progress of a campaign has counts by cycle and backend for up to 200 of them', () => {
    const spread = (count: number) =>
      progressOf(
        campaign(
          Array.from({ length: count }, (_, index) => ({ ...PENDING, cycle_index: index, backend: `b${index}` })),
        ),
      )
    expect(Object.keys(spread(200).by_cycle ?? {})).toHaveLength(200)
    expect(Object.keys(spread(200).by_backend ?? {})).toHaveLength(200)
    expect(spread(201)).toMatchObject({ total: 201, by_cycle: null, by_backend: null })
  })

  test('the progress of a campaign is complete with skipped experiments, which do not count as progress', () => {
    expect(progressOf(campaign([COMPLETED, SKIPPED]))).toMatchObject({ is_complete: true, progress_fraction: 0.5 })
  })

  test('the progress of a campaign has no start before an experiment has', () => {
    expect(progressOf(campaign([PENDING])).started_at).toBeNull()
  })

  test('the progress of a campaign omits a kind of failure that no experiment has any more', () => {
    const failed = campaign([{ ...FAILED, failure_kind: 'oom' }])
    const experiment = failed.experiments.at(0)
    const changed = [{ ...experiment, failure_kind: 'timeout' as const }]
    expect(progressOf(failed.with({ at: '2026-03-01T12:00:00Z', changed })).failures).toEqual({ timeout: 1 })
  })
})

function campaign(experiments: readonly Partial<Experiment>[], settings: Partial<CampaignSettings> = {}) {
  return campaignOf(experiments, { settings: { max_retries: 0, lease_seconds: 60, paused: false, ...settings } })
}
