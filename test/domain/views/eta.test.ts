import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import { Durations } from '#campaignd/domain/indexes/durations.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { createManifest } from '#campaignd/domain/operations/create.js'
import type { ExperimentDraft, WholeDraft } from '#campaignd/domain/operations/draft.js'
import { etaSeconds } from '#campaignd/domain/views/progress.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { sampleText } from '../../support/campaigns/samples.js'

function campaignOf(experiments: ExperimentDraft[], now = '2026-03-01T12:00:00Z'): Campaign {
  const creation = { now, timezone: 'UTC', uid: '0123456789abcdef', idSuffix: '01234567', createdBy: null }
  return Campaign.of(atOnce(createManifest({ ...campaignDraft(1), experiments }, creation)))
}

function completed(expId: string, seconds: number, given: Partial<ExperimentDraft> = {}): ExperimentDraft {
  const end = new Date(Date.parse('2026-03-01T10:00:00Z') + seconds * 1000).toISOString()
  return experimentDraft(expId, {
    status: 'completed',
    started_at: '2026-03-01T10:00:00Z',
    completed_at: end,
    ...given,
  })
}

test('before anything is completed there is no estimate', () => {
  expect(etaSeconds(campaignOf([experimentDraft('1'), experimentDraft('2')]))).toBeNull()
})

test('what remains takes the median of its config and backend', () => {
  const done = [completed('1', 100), completed('2', 200), completed('3', 900)]
  expect(etaSeconds(campaignOf([...done, experimentDraft('4'), experimentDraft('5')]))).toBe(400)
})

test('a config that was never completed takes the median of its backend, and a new backend that of the campaign', () => {
  const done = [
    completed('1', 100),
    completed('2', 300, { backend: 'pytorch' }),
    completed('3', 500, { backend: 'pytorch' }),
  ]
  expect(etaSeconds(campaignOf([...done, experimentDraft('4', { config_name: 'new', backend: 'pytorch' })]))).toBe(400)
  expect(etaSeconds(campaignOf([...done, experimentDraft('4', { config_name: 'new', backend: 'tensorrt' })]))).toBe(300)
})

test('what running experiments have done counts, and the rest is shared by as many as run', () => {
  const running = { status: 'running', started_at: '2026-03-01T11:59:00Z' } as const
  const experiments = [
    completed('1', 100),
    experimentDraft('2', running),
    experimentDraft('3', running),
    experimentDraft('4'),
  ]
  expect(etaSeconds(campaignOf(experiments))).toBe((40 + 40 + 100) / 2)
})

test('durations below zero, after a clock change, count as unknown', () => {
  expect(etaSeconds(campaignOf([completed('1', -50), completed('2', 60), experimentDraft('3')]))).toBe(60)
  expect(etaSeconds(campaignOf([completed('1', -50), experimentDraft('3')]))).toBeNull()
})

test('a campaign that has ended takes no more time, though some failed', () => {
  expect(etaSeconds(campaignOf([completed('1', 60), experimentDraft('2', { status: 'failed' })]))).toBe(0)
})

test('sample 02: nine remain, of configs that were completed on their backends or not', () => {
  const draft = JSON.parse(sampleText('02_shuffled_18_failed_interrupted')) as WholeDraft
  const seconds = (expId: string) => {
    const { started_at, completed_at } = draft.experiments.find(({ exp_id }) => exp_id === expId) ?? {}
    return (Date.parse(`${completed_at}Z`) - Date.parse(`${started_at}Z`)) / 1000
  }
  const median = (ids: string[]) => {
    const sorted = ids.map(seconds).sort((a, b) => a - b)
    const middle = sorted.length / 2
    return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2
  }
  const done = draft.experiments.filter(({ status }) => status === 'completed')
  const remaining = draft.experiments.filter(({ status }) => status !== 'completed')
  const expected = remaining.map(({ config_name, backend }) => {
    const onBackend = done.filter((one) => one.backend === backend)
    const same = onBackend.filter((one) => one.config_name === config_name)
    return median((same.length > 0 ? same : onBackend).map(({ exp_id }) => exp_id))
  })
  const sum = expected.reduce((total, one) => total + one, 0)
  expect(Math.abs((etaSeconds(campaignOf(draft.experiments)) ?? 0) - sum)).toBeLessThanOrEqual(1)
})

test('durations that are kept up to date equal those that are computed anew', () => {
  const entry = fc.record({
    config_name: fc.constantFrom('a', 'b', 'c'),
    backend: fc.constantFrom('vllm', 'pytorch'),
    status: fc.constantFrom('pending', 'running', 'completed', 'failed', 'skipped'),
    seconds: fc.integer({ min: -5, max: 50 }),
  })
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.nat(), entry)),
      (start, changes) => {
        const make = ({ seconds, ...fields }: (typeof start)[number], index: number) =>
          campaignOf([completed(String(index), seconds, fields)]).experiments.at(0)
        const experiments = start.map(make)
        let kept = atOnce(Durations.of(experiments))
        for (const [at, change] of changes) {
          const index = at % experiments.length
          const before = make(start[index] ?? change, index)
          const { config_name, backend } = before
          const after = { ...make(change, index), config_name, backend }
          kept = kept.with(index, experiments[index] ?? before, after)
          experiments[index] = after
        }
        const anew = atOnce(Durations.of(experiments))
        expect(kept.remaining).toBe(anew.remaining)
        for (const position of experiments.keys()) {
          expect(kept.usual(position)).toBe(anew.usual(position))
        }
      },
    ),
  )
})
