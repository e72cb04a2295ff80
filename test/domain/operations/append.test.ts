import { expect, test } from 'vitest'
import type { Campaign, Decision } from '#campaignd/domain/campaign/campaign.js'
import { type Appended, appendExperiments } from '#campaignd/domain/operations/append.js'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { DEFAULT_LIMITS } from '#campaignd/http/limits.js'
import { campaignOf, experiment, experimentDraft } from '../../support/campaigns/drafts.js'
import { invalidAt, refusal } from '../../support/campaigns/refusal.js'
import { NOW } from '../../support/campaigns/reports.js'

const CAMPAIGN = campaignOf([{ status: 'running' }, {}], { revision: 6 })

function append(campaign: Campaign, drafts: readonly ExperimentDraft[], timezone = 'UTC'): Decision<Appended> {
  return appendExperiments(campaign, drafts, { now: NOW, timezone }, DEFAULT_LIMITS)
}

test('new experiments come at the end, in the order of the request, under the next revision', () => {
  const { changes, result } = append(CAMPAIGN, [experimentDraft('b'), experimentDraft('a')])
  const appended = [experiment({ exp_id: 'b', revision: 7 }), experiment({ exp_id: 'a', revision: 7 })]
  expect(changes).toEqual({ at: NOW, appended })
  expect(result).toEqual({ experiments: appended, revision: 7 })
})

test('the identical ones again change nothing, and are answered as they stand', () => {
  const { changes, result } = append(CAMPAIGN, [experimentDraft('0001'), experimentDraft('0002', { cycle_index: 1 })])
  expect(changes).toBeNull()
  expect(result).toEqual({ experiments: [CAMPAIGN.get('0001'), CAMPAIGN.get('0002')], revision: 6 })
})

test('of a mixed request only the new ones are added', () => {
  const { changes, result } = append(CAMPAIGN, [experimentDraft('b'), experimentDraft('0001')])
  expect(changes?.appended?.map(({ exp_id }) => exp_id)).toEqual(['b'])
  expect(result.experiments.map(({ exp_id, status }) => [exp_id, status])).toEqual([
    ['b', 'pending'],
    ['0001', 'running'],
  ])
})

test('an exp_id that exists with another definition is refused, with the existing one', () => {
  expect(() => append(CAMPAIGN, [experimentDraft('b'), experimentDraft('0001', { backend: 'pytorch' })])).toThrow(
    refusal('experiment-exists', { experiment: CAMPAIGN.get('0001') }),
  )
})

test('an exp_id twice in the request is invalid', () => {
  expect(() => append(CAMPAIGN, [experimentDraft('b'), experimentDraft('b')])).toThrow(
    invalidAt('/experiments/1/exp_id'),
  )
})

test('naive times are read in the zone that is given', () => {
  const draft = experimentDraft('b', { status: 'completed', started_at: '2026-02-03T21:04:17.319159' })
  const [appended] = append(CAMPAIGN, [draft], 'Asia/Tokyo').result.experiments
  expect(appended).toMatchObject({ attempt: 1, started_at: '2026-02-03T12:04:17.319159Z' })
})
