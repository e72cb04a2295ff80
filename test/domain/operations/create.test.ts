import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { DEFAULT_SETTINGS } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { createManifest, type Creation, definitionDigest } from '#campaignd/domain/operations/create.js'
import type { ExperimentDraft, WholeDraft } from '#campaignd/domain/operations/draft.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { invalidAt } from '../../support/campaigns/refusal.js'
import { NOW } from '../../support/campaigns/reports.js'

const CREATION: Creation = { now: NOW, timezone: 'UTC', uid: '5f0c1e9a7b3d2468', idSuffix: '0099efaa', createdBy: null }

function create(draft: WholeDraft, creation: Partial<Creation> = {}): CampaignManifest {
  return atOnce(createManifest(draft, { ...CREATION, ...creation }))
}

/** The only experiment of a campaign, as it is created from the draft. */
function createOne(given: Partial<ExperimentDraft>, timezone = 'UTC'): Experiment | undefined {
  return create(campaignDraft(1, { experiments: [experimentDraft('0001', given)] }), { timezone }).experiments[0]
}

describe('a new campaign', () => {
  test('a new campaign is at revision 1, made now, with the default settings', () => {
    expect(create(campaignDraft(3))).toMatchObject({
      campaign_id: 'sweep',
      campaign_name: 'precision sweep',
      created_at: NOW,
      updated_at: NOW,
      config_hash: '0099efaa28b0',
      total_experiments: 3,
      revision: 1,
      uid: CREATION.uid,
      settings: { max_retries: 0, lease_seconds: 60, paused: false },
      labels: {},
    })
  })

  test('a new campaign takes the settings that are given over the defaults, one by one', () => {
    const { settings } = create(campaignDraft(1, { settings: { max_retries: 2 } }))
    expect(settings).toEqual({ ...DEFAULT_SETTINGS, max_retries: 2 })
  })

  test('a new campaign keeps created_at and updated_at, and sets what only the service sets anew', () => {
    const imported = create(
      campaignDraft(1, {
        created_at: '2026-02-03T21:04:17.319159',
        updated_at: '2026-02-03T22:00:00',
        revision: 27,
        uid: '0'.repeat(16),
        ...{ definition_digest: '0'.repeat(64), body_digest: '0'.repeat(64), created_by: '0'.repeat(32) },
        ...{
          format: 1,
          cancel_running: true,
          imported_at: '2026-02-03T22:00:00Z',
          bench_lifted: { w1: '2026-02-03T22:00:00Z' },
        },
      }),
    )
    expect(imported).toMatchObject({ created_at: '2026-02-03T21:04:17.319159Z', updated_at: '2026-02-03T22:00:00Z' })
    expect(imported).toMatchObject({ revision: 1, uid: CREATION.uid, format: 2, created_by: null })
    expect(imported).toMatchObject({ cancel_running: false, imported_at: null, bench_lifted: {} })
    expect(imported.body_digest).not.toBe('0'.repeat(64))
    expect(imported).not.toHaveProperty('definition_digest')
  })

  test('an import from a clock that is ahead is updated now, and says when it was imported', () => {
    const experiments = [experimentDraft('0001', { status: 'completed' })]
    const imported = create(campaignDraft(0, { updated_at: '2099-01-01T00:00:00Z', experiments }))
    expect(imported).toMatchObject({ updated_at: NOW, imported_at: NOW })
  })
})

describe('a new experiment', () => {
  test('a new experiment has all the keys of a manifest entry in their order, each with its default', () => {
    expect(JSON.stringify(createOne({}))).toBe(
      JSON.stringify({
        ...experimentDraft('0001'),
        status: 'pending',
        result_path: null,
        started_at: null,
        completed_at: null,
        error: null,
        retry_count: 0,
        attempt: 0,
        revision: 1,
        worker: null,
        actor: null,
        failure_kind: null,
        lease: null,
        metrics: null,
        failures: 0,
        losses: 0,
        attempts: [],
      }),
    )
  })

  test('a new experiment loses its lease and its revision, which do not move', () => {
    const lease = { seconds: 60, claim_id: 'c1' }
    expect(createOne({ status: 'running', revision: 27, lease })).toMatchObject({ revision: 1, lease: null })
  })

  test('a new experiment keeps its history, its times read in the zone and its errors cut to 1 KiB', () => {
    const past = { attempt: 1, worker: null, status: 'failed', failure_kind: 'oom', result_path: null } as const
    const times = { started_at: '2026-02-03T21:04:17.319159', completed_at: null }
    const created = createOne(
      { status: 'running', attempt: 2, attempts: [{ ...past, ...times, error: 'x'.repeat(5000) }] },
      'Asia/Tokyo',
    )
    expect(created?.attempts).toMatchObject([
      { ...past, started_at: '2026-02-03T12:04:17.319159Z', completed_at: null },
    ])
    expect(created?.attempts[0]?.error?.length).toBeLessThanOrEqual(1024)
  })

  test('a new experiment keeps the last 8 KiB of its error', () => {
    expect(createOne({ status: 'failed', error: `${'x'.repeat(9000)}Killed` })?.error).toMatch(
      /^\[\d+ bytes cut\]\nx+Killed$/,
    )
  })

  test('a new experiment may have completed before it started, or with an error: such files exist', () => {
    const real = {
      status: 'completed',
      error: 'Exit code 1',
      started_at: '2026-02-03T21:00:00Z',
      completed_at: '2026-02-03T20:00:00Z',
    } as const
    expect(createOne(real)).toMatchObject(real)
  })

  test('a new experiment that failed has the kind error unless it gives another', () => {
    expect(createOne({ status: 'failed' })?.failure_kind).toBe('error')
    expect(createOne({ status: 'failed', failure_kind: null })?.failure_kind).toBe('error')
    expect(createOne({ status: 'failed', failure_kind: 'lost' })?.failure_kind).toBe('lost')
  })

  test.each(['pending', 'running', 'completed', 'skipped'] as const)(
    'a new experiment that is %s has no failure_kind',
    (status) => {
      expect(createOne({ status, failure_kind: null })?.failure_kind).toBeNull()
      expect(() => createOne({ status, failure_kind: 'oom' })).toThrow(invalidAt('/experiments/0/failure_kind'))
    },
  )
})

describe('the attempt of an imported experiment', () => {
  const started_at = '2026-02-03T21:00:00Z'

  test.each<[Partial<ExperimentDraft>, number]>([
    [{}, 0],
    [{ status: 'pending' }, 0],
    [{ status: 'pending', retry_count: 2 }, 3],
    [{ status: 'pending', started_at }, 1],
    [{ status: 'skipped' }, 0],
    [{ status: 'skipped', retry_count: 1 }, 2],
    [{ status: 'skipped', started_at }, 1],
    [{ status: 'running' }, 1],
    [{ status: 'completed' }, 1],
    [{ status: 'completed', retry_count: 2 }, 3],
    [{ status: 'failed', retry_count: 0 }, 1],
    [{ status: 'failed', started_at: null }, 1],
    [{ status: 'failed', attempt: 4 }, 4],
    [{ status: 'failed', attempt: 4, retry_count: 3 }, 4],
    [{ attempt: 0, retry_count: 0 }, 0],
  ])('the attempt of an imported experiment of %j is %i', (given, attempt) => {
    expect(createOne(given)).toMatchObject({ attempt, retry_count: Math.max(0, attempt - 1) })
  })

  test.each([
    { attempt: 1, retry_count: 1 },
    { attempt: 4, retry_count: 0 },
    { attempt: 0, retry_count: 1 },
  ])('the attempt of an imported experiment cannot contradict retry_count: %j', (given) => {
    expect(() => createOne({ status: 'failed', ...given })).toThrow(invalidAt('/experiments/0/attempt'))
  })
})

describe('the times of a draft', () => {
  test('the times of a draft that are naive are read in the zone that is given', () => {
    const draft = campaignDraft(1, { created_at: '2026-07-03T21:04:17.319159' })
    expect(create(draft, { timezone: 'Europe/Berlin' }).created_at).toBe('2026-07-03T19:04:17.319159Z')
    expect(create(draft).created_at).toBe('2026-07-03T21:04:17.319159Z')
    expect(createOne({ started_at: '2026-07-03T21:04:17' }, 'Europe/Berlin')?.started_at).toBe('2026-07-03T19:04:17Z')
  })

  test('the times of a draft that have an offset are not', () => {
    const created = createOne({ completed_at: '2026-07-03T21:04:17.5+01:00' }, 'Europe/Berlin')
    expect(created?.completed_at).toBe('2026-07-03T20:04:17.5Z')
  })

  test('the times of a draft must exist', () => {
    const never = '2026-02-30T12:00:00'
    expect(() => create(campaignDraft(1, { created_at: never }))).toThrow(invalidAt('/created_at'))
    expect(() => createOne({ started_at: never })).toThrow(invalidAt('/experiments/0/started_at'))
    expect(() => createOne({ completed_at: never })).toThrow(invalidAt('/experiments/0/completed_at'))
  })
})

describe('the definition digest', () => {
  const digest = (given: Partial<ExperimentDraft>) =>
    atOnce(definitionDigest('0099efaa28b0', [experimentDraft('0001', given)]))

  test('the definition digest is a sha256 in hex, the same for the same definition', () => {
    expect(digest({})).toMatch(/^[0-9a-f]{64}$/)
    expect(digest({})).toBe(digest({}))
  })

  test.each<Partial<ExperimentDraft>>([
    { exp_id: '0002' },
    { config_name: 'other' },
    { config_path: 'other' },
    { config_hash: 'other' },
    { backend: 'other' },
    { container: 'other' },
    { cycle_index: 1 },
  ])('the definition digest is another one with %j', (given) => {
    expect(digest(given)).not.toBe(digest({}))
  })

  test.each<Partial<ExperimentDraft>>([
    { status: 'failed' },
    { result_path: 'results/1' },
    { started_at: NOW },
    { completed_at: NOW },
    { error: 'Killed' },
    { retry_count: 3 },
    { attempt: 4 },
    { worker: 'gpu-1' },
    { failure_kind: 'oom' },
    { attempts: [] },
    { revision: 27 },
    { lease: { seconds: 60, claim_id: null } },
  ])('the definition digest is the same with %j', (given) => {
    expect(digest(given)).toBe(digest({}))
  })

  test('the definition digest is another one with another config_hash, number or order of experiments', () => {
    const [first, second] = [experimentDraft('0001'), experimentDraft('0002')]
    const digests = [
      atOnce(definitionDigest('a', [first, second])),
      atOnce(definitionDigest('b', [first, second])),
      atOnce(definitionDigest('a', [second, first])),
      atOnce(definitionDigest('a', [first])),
    ]
    expect(new Set(digests)).toHaveLength(4)
  })

  test('the definition digest distinguishes fields that read the same when joined', () => {
    expect(digest({ backend: 'ab', container: 'c' })).not.toBe(digest({ backend: 'a', container: 'bc' }))
  })

  test('the definition digest is not touched by name, labels or settings of the campaign', () => {
    const plain = create(campaignDraft(2))
    const dressed = create(campaignDraft(2, { campaign_name: 'b', labels: { a: 'b' }, settings: { paused: true } }))
    expect(dressed.definition_digest).toBe(plain.definition_digest)
  })
})

describe('a made-up campaign_id', () => {
  function madeUpId(campaign_name: string): string {
    const { campaign_id: _, ...draft } = campaignDraft(1, { campaign_name })
    return create(draft).campaign_id
  }

  test.each([
    ['llama3-8b-backend-precision-sweep', 'llama3-8b-backend-precision-sweep-0099efaa'],
    ['  Llama 3 / 8B: Über-Sweep!  ', 'llama-3-8b-uber-sweep-0099efaa'],
    ['___', 'campaign-0099efaa'],
    ['能源', 'campaign-0099efaa'],
    ['a'.repeat(512), `${'a'.repeat(54)}-0099efaa`],
  ])('a made-up campaign_id of "%s" is %s', (name, id) => {
    expect(madeUpId(name)).toBe(id)
  })

  test('a made-up campaign_id is a valid one, whatever the name', () => {
    const unit = fc.constantFrom('grapheme' as const, 'binary' as const, 'grapheme-ascii' as const)
    const name = unit.chain((of) => fc.string({ unit: of, minLength: 1, maxLength: 120 }))
    fc.assert(
      fc.property(name, (campaign_name) => {
        const id = madeUpId(campaign_name)
        expect(id).toMatch(/^[a-z0-9][a-z0-9_-]{0,62}$/)
        expect(id).toMatch(/[a-z0-9]-0099efaa$/)
      }),
    )
  })
})

test('an import without counts is counted from its attempts, since it was last put back by hand', () => {
  const past = (attempt: number, failure_kind: 'oom' | 'lost', closed_by: 'start' | 'retry' | null) => ({
    ...{ attempt, worker: null, status: 'failed' as const, failure_kind, error: null, result_path: null },
    ...{ started_at: null, completed_at: null, closed_by },
  })
  const counted = (given: Partial<ExperimentDraft>) => {
    const { failures, losses } = createOne(given) ?? {}
    return { failures, losses }
  }
  expect(counted({ status: 'failed', attempt: 3, attempts: [past(1, 'oom', 'start'), past(2, 'lost', null)] })).toEqual(
    {
      failures: 2,
      losses: 1,
    },
  )
  // Of the first of them nothing is known.
  expect(counted({ status: 'failed', attempt: 3, attempts: [past(2, 'lost', 'start')] })).toEqual({
    failures: 2,
    losses: 1,
  })
  const retried = [past(1, 'oom', 'start'), past(2, 'oom', 'retry'), past(3, 'lost', 'start')]
  expect(counted({ status: 'failed', failure_kind: 'lost', attempt: 4, attempts: retried })).toEqual({
    failures: 0,
    losses: 2,
  })
  expect(counted({ status: 'completed', retry_count: 2 })).toEqual({ failures: 2, losses: 0 })
  expect(counted({ status: 'failed', attempt: 2, failures: 7, losses: 5 })).toEqual({ failures: 7, losses: 5 })
})

test.each<[Partial<ExperimentDraft>, number[], string]>([
  [{ status: 'completed', attempt: 1 }, [1], '/experiments/0/attempts/0/attempt'],
  [{ status: 'failed', attempt: 3 }, [2, 1], '/experiments/0/attempts/1/attempt'],
  [{ status: 'failed', attempt: 3 }, [1, 1], '/experiments/0/attempts/1/attempt'],
  [{ status: 'pending', attempt: 1 }, [2], '/experiments/0/attempts/0/attempt'],
  [{ status: 'pending' }, [0], '/experiments/0/attempts/0/attempt'],
])(
  'an import of %j with the closed attempts %j is refused: they are not before the current one',
  (given, numbers, pointer) => {
    const attempts = numbers.map((attempt) => ({
      ...{ attempt, worker: null, status: 'failed' as const, failure_kind: null, error: null, result_path: null },
      ...{ started_at: null, completed_at: null },
    }))
    expect(() => createOne({ ...given, attempts })).toThrow(invalidAt(pointer))
  },
)

test('the digest of a body stays the same from version to version: it is stored, and creations are repeated after an upgrade', () => {
  expect(create(campaignDraft(2)).body_digest).toBe('fd7fad6947f9226603fe1b4294e6940d1e9fbb70886ce3c0b854cc3bfeed5cda')
  const experiments = [
    experimentDraft('0001', { status: 'failed', attempt: 2, error: 'Killed', metrics: { b: 1, a: 2 } }),
  ]
  const given = {
    created_at: '2026-02-03T21:04:17+01:00',
    labels: { team: 'x' },
    settings: { max_retries: 2 },
    experiments,
  }
  expect(create(campaignDraft(0, given)).body_digest).toBe(
    'f1704a6c8b86fa228c7ab89f557ee4af9a0b51e1f9470774eefbe565cf9b565a',
  )
})
