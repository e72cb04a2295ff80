import { describe, expect, test } from 'vitest'
import type { Campaign, Decision } from '#campaignd/domain/campaign/campaign.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { resume, type Resumed, type ResumeRequest } from '#campaignd/domain/operations/resume.js'
import { campaignOf } from '../../support/campaigns/drafts.js'
import { refusal } from '../../support/campaigns/refusal.js'
import { after, NOW } from '../../support/campaigns/reports.js'

const HASH = '0099efaa28b0'
const LEASE = { seconds: 60, claim_id: null }

const CAMPAIGN = campaignOf(
  [
    { status: 'completed', config_hash: 'a', result_path: 'results/1' },
    { status: 'skipped', config_hash: 'b' },
    { status: 'failed', config_hash: 'c', error: 'Killed' },
    { status: 'pending', config_hash: 'd' },
    { status: 'running', config_hash: 'e', worker: 'gpu-1', lease: LEASE },
    { status: 'running', config_hash: 'f', worker: 'gpu-2' },
  ],
  { revision: 6 },
)

/** The experiments as they are in the campaign, with other hashes where they are given. */
function configs(hashes: Readonly<Record<string, string>> = {}, campaign = CAMPAIGN) {
  return [...campaign.experiments].map(({ exp_id, config_hash }) => ({
    exp_id,
    config_hash: hashes[exp_id] ?? config_hash,
  }))
}

function decide(request: ResumeRequest, campaign = CAMPAIGN): Decision<Resumed> {
  return resume(campaign, request, NOW)
}

function actions(request: ResumeRequest): Record<string, string> {
  return Object.fromEntries(decide(request).result.plan.map(({ exp_id, action }) => [exp_id, action]))
}

function carriedOut(request: ResumeRequest, campaign = CAMPAIGN): Campaign {
  const { changes } = decide(request, campaign)
  return changes === null ? campaign : campaign.with(changes)
}

function requeued(expId: string): Experiment {
  const before = CAMPAIGN.get(expId)
  if (before === undefined) throw new Error(`no ${expId}`)
  return { ...after(before, { status: 'pending' }), revision: 7 }
}

describe('the plan', () => {
  const USUAL = { '0001': 'skip', '0002': 'skip', '0003': 'run', '0004': 'run', '0005': 'keep', '0006': 'run' }

  test('the plan has the action for each experiment, with a reason, in manifest order', () => {
    expect(decide({}).result.plan).toEqual([
      { exp_id: '0001', action: 'skip', reason: 'completed' },
      { exp_id: '0002', action: 'skip', reason: 'skipped' },
      { exp_id: '0003', action: 'run', reason: 'failed' },
      { exp_id: '0004', action: 'run', reason: 'pending' },
      { exp_id: '0005', action: 'keep', reason: 'running under a live lease' },
      { exp_id: '0006', action: 'run', reason: 'running without a lease: its orchestrator is gone' },
    ])
  })

  test.each<[ResumeRequest, Record<string, string>]>([
    [{}, USUAL],
    [{ retry_failed: false }, { ...USUAL, '0003': 'skip' }],
    [{ unleased: 'keep' }, { ...USUAL, '0006': 'keep' }],
    [{ unleased: 'requeue', retry_failed: true }, USUAL],
  ])('the plan of %j is %j', (request, plan) => {
    expect(actions(request)).toEqual(plan)
  })

  test('the plan is carried out: what failed or was left behind is requeued, under one revision', () => {
    const { changes, result } = decide({})
    expect(changes?.at).toBe(NOW)
    expect(changes?.changed).toEqual([requeued('0003'), requeued('0006')])
    expect(result.revision).toBe(7)
    expect(result.counts).toEqual({ pending: 3, running: 1, completed: 1, failed: 0, skipped: 1 })
  })

  test('remaining in the plan lists what will run, in manifest order', () => {
    expect(decide({}).result.remaining).toEqual(['0003', '0004', '0006'])
    expect(decide({ retry_failed: false, unleased: 'keep' }).result.remaining).toEqual(['0004'])
  })
})

test('a repeated resume changes nothing', () => {
  const once = carriedOut({})
  const { changes, result } = decide({}, once)
  expect(changes).toBeNull()
  expect(result).toMatchObject({ revision: 7, remaining: ['0003', '0004', '0006'] })
})

describe('the comparison of configs', () => {
  test('the comparison of configs is not made without a config_hash', () => {
    const { result } = decide({ experiments: configs({ '0001': 'new' }) })
    expect(result).toMatchObject({ config_changed: false, changed: [], added: [], removed: [] })
  })

  test('the comparison of configs finds nothing when all is the same', () => {
    const { result } = decide({ config_hash: HASH, experiments: configs() })
    expect(result).toMatchObject({ config_changed: false, changed: [], added: [], removed: [] })
  })

  test('the comparison of configs lists what is only in the request and only in the campaign, and deletes nothing', () => {
    const experiments = [...configs().slice(1), { exp_id: '0099', config_hash: 'x' }]
    const request = { config_hash: HASH, experiments }
    expect(decide(request).result).toMatchObject({ config_changed: false, added: ['0099'], removed: ['0001'] })
    expect(carriedOut(request).experiments).toHaveLength(6)
  })

  test.each<[string, ResumeRequest]>([
    ["the campaign's hash", { config_hash: 'new' }],
    ["the campaign's hash, by name", { config_hash: 'new', on_config_change: 'refuse' }],
    ["an experiment's hash", { config_hash: HASH, experiments: configs({ '0001': 'new' }) }],
  ])('the comparison of configs that finds another one is refused: %s', (_, request) => {
    expect(() => decide(request)).toThrow(refusal('config-changed', { config_changed: true }))
  })

  test('the comparison of configs that is refused shows the difference', () => {
    const experiments = [...configs({ '0003': 'new' }).slice(1), { exp_id: '0099', config_hash: 'x' }]
    expect(() => decide({ config_hash: HASH, experiments })).toThrow(
      refusal('config-changed', {
        changed: [{ exp_id: '0003', from: 'c', to: 'new' }],
        added: ['0099'],
        removed: ['0001'],
      }),
    )
  })
})

describe('changed hashes', () => {
  const CHANGED = configs({ '0001': 'new a', '0002': 'new b', '0004': 'new d' })
  const ACCEPT: ResumeRequest = { config_hash: 'new', experiments: CHANGED, on_config_change: 'accept' }
  const RERUN: ResumeRequest = { ...ACCEPT, on_config_change: 'rerun_changed' }

  test.each([ACCEPT, RERUN])('changed hashes are all stored by $on_config_change', (request) => {
    const resumed = carriedOut(request)
    expect(resumed.header.config_hash).toBe('new')
    expect(configs({}, resumed)).toEqual(CHANGED)
    expect(resumed.get('0004')).toMatchObject({ status: 'pending', revision: 7 })
  })

  test.each([ACCEPT, RERUN])(
    'changed hashes are no difference to the next resume, after $on_config_change',
    (request) => {
      const { changes, result } = decide(request, carriedOut(request))
      expect(changes).toBeNull()
      expect(result).toMatchObject({ config_changed: false, changed: [] })
    },
  )

  test('changed hashes do not run anything again when they are accepted', () => {
    expect(actions(ACCEPT)).toEqual(actions({}))
    expect(carriedOut(ACCEPT).get('0001')).toMatchObject({ status: 'completed', result_path: 'results/1' })
  })

  test('changed hashes run the experiments again whose own hash changed, completed or not, but no skipped one', () => {
    expect(actions(RERUN)).toEqual({ ...actions({}), '0001': 'run' })
    expect(carriedOut(RERUN).get('0001')).toMatchObject({
      status: 'pending',
      result_path: null,
      attempts: [{ attempt: 1, status: 'completed', result_path: 'results/1' }],
    })
  })

  test("changed hashes of the campaign alone run nothing again, but the campaign's is stored", () => {
    const request = { config_hash: 'new', on_config_change: 'rerun_changed' } as const
    expect(actions(request)).toEqual(actions({}))
    expect(carriedOut(request).header.config_hash).toBe('new')
  })

  test('changed hashes of the campaign are a change of their own when there is no other', () => {
    const done = campaignOf([{ status: 'completed' }], { revision: 6 })
    const { changes, result } = decide({ config_hash: 'new', on_config_change: 'accept' }, done)
    expect(changes).toMatchObject({ header: { config_hash: 'new' } })
    expect(result.revision).toBe(7)
  })
})

describe('a dry run', () => {
  test.each<ResumeRequest>([
    {},
    { retry_failed: false },
    { config_hash: 'new', experiments: configs({ '0001': 'new' }), on_config_change: 'rerun_changed' },
  ])('a dry run returns what the real call would, and changes nothing: %j', (request) => {
    const dry = decide({ ...request, dry_run: true })
    expect(dry.changes).toBeNull()
    expect(dry.result).toEqual({ ...decide(request).result, revision: 6 })
  })

  test('a dry run shows the difference where the real call would be refused', () => {
    const { changes, result } = decide({ config_hash: 'new', experiments: configs({ '0001': 'x' }), dry_run: true })
    expect(changes).toBeNull()
    expect(result).toMatchObject({
      config_changed: true,
      changed: [{ exp_id: '0001', from: 'a', to: 'x' }],
      revision: 6,
    })
  })
})
