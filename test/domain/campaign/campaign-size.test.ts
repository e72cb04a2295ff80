import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Campaign, type Decision } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignSize } from '#campaignd/domain/campaign/campaign-size.js'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { DomainError } from '#campaignd/domain/errors.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { NOTHING_TOLD } from '#campaignd/domain/experiment/run-progress.js'
import { manifestPieces } from '#campaignd/domain/formats/manifest-json.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { appendExperiments } from '#campaignd/domain/operations/append.js'
import { claim } from '#campaignd/domain/operations/claim/claim.js'
import { createManifest, newCampaign } from '#campaignd/domain/operations/create.js'
import { expireLeases } from '#campaignd/domain/operations/expire-leases.js'
import { patchCampaign } from '#campaignd/domain/operations/patch-campaign.js'
import { updateExperiment } from '#campaignd/domain/operations/report.js'
import { updateBatch } from '#campaignd/domain/operations/report-batch.js'
import { resume } from '#campaignd/domain/operations/resume.js'
import { retry } from '#campaignd/domain/operations/retry.js'
import { newManifest, NOW, UNICODE } from '../../support/campaigns/decisions.js'
import { experimentDraft } from '../../support/campaigns/drafts.js'

const KIB = 1024
/** Most bytes by which a campaign counts its header too long: two numbers and a time that are counted at their greatest length. */
const SLACK = 64

const REPORT = { now: NOW, timezone: 'UTC', actor: null }

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index + 1).padStart(4, '0'))
}

function sized(experiments: number, limit: number): Campaign {
  return Campaign.of(newManifest('sweep', experiments), { limit })
}

function fileOf(campaign: Campaign): Buffer {
  return Buffer.from([...manifestPieces(campaign)].join(''))
}

/** The campaign as a start reads it. */
function readAgain(campaign: Campaign): Campaign {
  return Campaign.of(JSON.parse(fileOf(campaign).toString()) as CampaignManifest, { limit: campaign.limit })
}

/** The campaign after a decision, made of its changes or of what it decided on for its result. */
function after(campaign: Campaign, { changes, next }: Decision<unknown>): Campaign {
  if (changes === null) return campaign
  return next?.campaign ?? campaign.with(changes)
}

function fail(campaign: Campaign, expId: string, error: string): Campaign {
  const started = after(campaign, updateExperiment(campaign, expId, { status: 'running', worker: 'gpu-1' }, REPORT))
  return after(started, updateExperiment(started, expId, { status: 'failed', error }, REPORT))
}

/** Every experiment fails so many times, one after the other. */
function failAll(campaign: Campaign, times: number, error: string, each: (campaign: Campaign) => void): Campaign {
  let current = campaign
  for (let time = 0; time < times; time += 1) {
    for (const expId of ids(campaign.experiments.length)) {
      current = fail(current, expId, `${expId} ${time} ${error}`)
      each(current)
    }
  }
  return current
}

function errorsOf({ experiments }: Campaign): { current: string[]; closed: string[] } {
  const text = (error: string | null) => (error === null ? [] : [error])
  const all = [...experiments]
  return {
    current: all.flatMap(({ error }) => text(error)),
    closed: all.flatMap(({ attempts }) => attempts.flatMap((past) => text(past.error))),
  }
}

describe('bytes', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 50 })
  const anyStep = fc.oneof(
    fc.record({ kind: fc.constant('fail' as const), at: fc.nat(), error: anyText }),
    fc.record({ kind: fc.constant('append' as const), name: anyText }),
    fc.record({ kind: fc.constant('relabel' as const), name: anyText }),
  )

  test('a campaign knows how many bytes its manifest has, through every change and after a restart', () => {
    const property = fc.property(fc.constantFrom(1, 3, 40), fc.array(anyStep, { maxLength: 20 }), (count, steps) => {
      let campaign = Campaign.of(newManifest('sweep', count, { labels: UNICODE }))
      for (const [index, step] of steps.entries()) {
        if (step.kind === 'fail') campaign = fail(campaign, ids(count)[step.at % count] ?? '', step.error)
        else if (step.kind === 'relabel')
          campaign = campaign.with({ at: NOW, header: { labels: { label: step.name } } })
        else {
          const draft = experimentDraft(`new-${index}`, { config_name: step.name.toWellFormed() })
          campaign = after(campaign, atOnce(appendExperiments(campaign, [draft], REPORT, LIMITS)))
        }
        const { length } = fileOf(campaign)
        expect(campaign.bytes).toBeGreaterThanOrEqual(length)
        expect(campaign.bytes).toBeLessThanOrEqual(length + SLACK)
        expect(readAgain(campaign).bytes).toBe(campaign.bytes)
      }
    })
    fc.assert(property, { numRuns: 50 })
  })
})

const LIMITS: CampaignSize = { maxExperiments: 1_000_000, maxLabels: 100, maxCampaignBytes: Infinity }

describe('a campaign whose experiments fail again and again', () => {
  const LIMIT = 60 * KIB
  const TRACEBACK = 'File "bench.py", line 12, in run\n'.repeat(200)

  test('stays within its limit, whatever its workers report', () => {
    // At 70 % of the limit before anything runs.
    const campaign = failAll(sized(100, LIMIT), 20, TRACEBACK, ({ bytes }) => expect(bytes).toBeLessThanOrEqual(LIMIT))
    expect(errorsOf(campaign).current).toHaveLength(100)
  })

  test('is cut in the same way after a restart', () => {
    let restarted = sized(40, LIMIT)
    const kept = failAll(sized(40, LIMIT), 5, TRACEBACK, () => undefined)
    for (let time = 0; time < 5; time += 1) {
      for (const expId of ids(40))
        restarted = readAgain(fail(readAgain(restarted), expId, `${expId} ${time} ${TRACEBACK}`))
    }
    expect(restarted.toManifest()).toEqual(kept.toManifest())
  })

  test('knows how its workers ended the runs that are left, as after a restart', () => {
    let steps = 0
    const campaign = failAll(sized(40, LIMIT), 20, TRACEBACK, (current) => {
      steps += 1
      if (steps % 20 === 0) expect(current.workers.get('gpu-1')).toEqual(readAgain(current).workers.get('gpu-1'))
    })
    const kept = [...campaign.experiments].map(({ attempts }) => attempts.length)
    expect(Math.min(...kept)).toBeLessThan(19)
  })

  test('is left as it is below nine tenths of its limit', () => {
    const roomy = failAll(sized(10, 400 * KIB), 20, TRACEBACK, () => undefined)
    expect(roomy.toManifest()).toEqual(failAll(sized(10, Infinity), 20, TRACEBACK, () => undefined).toManifest())
  })

  test('loses old errors before young ones, closed before current ones, and keeps the end of each', () => {
    const ERROR = `${TRACEBACK}ValueError: the cause`
    const full = failAll(sized(100, 300 * KIB), 3, ERROR, () => undefined)
    const { current, closed } = errorsOf(full)
    const cut = closed.filter((error) => error.length <= 200)
    expect(cut.length).toBeGreaterThan(50)
    for (const error of [...current, ...closed]) expect(error).toMatch(/the cause$/)
    for (const error of cut) expect(error).toMatch(/^\[\d+ bytes cut\]\n[^]{100}/)
    expect(Math.max(...current.map((error) => error.length))).toBeGreaterThan(1024)
  })

  test('a call cuts a bounded number of experiments, also of a file that is far above its limit', () => {
    const grown = failAll(sized(200, Infinity), 4, TRACEBACK, () => undefined)
    const small = Campaign.of(grown.toManifest(), { limit: 200 * KIB })
    let left = small
    for (const expId of ids(200)) {
      const decided = updateExperiment(left, expId, { status: 'running', worker: 'gpu-2' }, REPORT)
      expect(decided.next?.lines.size).toBeLessThanOrEqual(20)
      expect(after(left, decided).bytes).toBeLessThanOrEqual(Math.max(left.bytes, 200 * KIB))
      left = after(left, decided)
    }
    expect(left.bytes).toBeLessThanOrEqual(200 * KIB)
  })

  test('what is cut has the revision of the call that caused it', () => {
    const full = failAll(sized(100, 300 * KIB), 3, TRACEBACK, () => undefined)
    const started = after(full, updateExperiment(full, '0001', { status: 'running', worker: 'gpu-2' }, REPORT))
    const report = { status: 'failed' as const, error: TRACEBACK }
    const { next, result } = updateExperiment(started, '0001', report, REPORT)
    const changed = [...(next?.campaign.experiments ?? [])].filter((one) => one !== started.get(one.exp_id))
    expect(next?.shrunk).toBeGreaterThan(0)
    expect(changed).toHaveLength(next?.lines.size ?? 0)
    for (const { revision } of changed) expect(revision).toBe(result.revision)
  })
})

describe('a decision on a campaign near its limit answers what the campaign then has', () => {
  const LIMIT = 24 * KIB
  const LONG = 'x'.repeat(8000)

  /** So small and so full that each error is cut in the call that reports it. */
  function full(): Campaign {
    return failAll(sized(30, LIMIT), 3, LONG, () => undefined)
  }

  function expectHeld<T>(
    campaign: Campaign,
    decided: Decision<T>,
    answered: (result: T) => readonly Experiment[],
  ): void {
    const held = after(campaign, decided)
    const shown = answered(decided.result)
    expect(shown.length).toBeGreaterThan(0)
    for (const one of shown) expect(one).toEqual(held.get(one.exp_id))
  }

  const running = () => {
    const campaign = full()
    return after(campaign, updateExperiment(campaign, '0001', { status: 'running', worker: 'gpu-2' }, REPORT))
  }

  test('a report', () => {
    const campaign = running()
    const decided = updateExperiment(campaign, '0001', { status: 'failed', error: LONG }, REPORT)
    expect(decided.result.error?.length).toBeLessThan(LONG.length)
    expectHeld(campaign, decided, (result) => [result])
  })

  test('a batch of reports', () => {
    const campaign = running()
    const items = [{ exp_id: '0001', report: { status: 'failed' as const, error: LONG } }]
    const decided = atOnce(updateBatch(campaign, items, { ...REPORT, atomic: false }))
    expectHeld(campaign, decided, (results) => results.flatMap((one) => ('experiment' in one ? [one.experiment] : [])))
  })

  test('a claim', () => {
    const campaign = after(full(), patchCampaign(full(), { settings: { max_retries: 9 } }, REPORT, LIMITS))
    expectHeld(
      campaign,
      claim(campaign, { worker: 'gpu-2', limit: 20 }, REPORT, null),
      ({ experiments }) => experiments,
    )
  })

  test('and no other decision is refused for the size', () => {
    const campaign = running()
    const leased = { status: 'running' as const, worker: 'gpu-2', lease_seconds: 60 }
    const held = after(campaign, updateExperiment(campaign, '0001', leased, REPORT))
    const { campaign_id, uid } = held.header
    const { attempt = 0, revision = 0 } = held.get('0001') ?? {}
    const expired = [{ exp_id: '0001', attempt, revision, idle_seconds: 61, latest: NOTHING_TOLD }]
    for (const decided of [
      atOnce(expireLeases(held, { campaign_id, uid, leases: expired }, NOW)),
      atOnce(retry(campaign, {}, REPORT)),
      atOnce(resume(campaign, {}, REPORT)),
      patchCampaign(campaign, { labels: { team: 'inference' } }, REPORT, LIMITS),
    ]) {
      expect(decided.changes).not.toBeNull()
      expect(after(campaign, decided).bytes).toBeLessThanOrEqual(LIMIT)
    }
  })
})

describe('growth', () => {
  const LIMIT = 100 * KIB

  test('experiments are added up to four fifths of the limit, and no further', () => {
    let campaign = atOnce(newCampaign(newManifest('sweep', 1), LIMIT)).campaign
    const add = (expId: string) =>
      atOnce(appendExperiments(campaign, [experimentDraft(expId, { config_path: 'x'.repeat(1000) })], REPORT, LIMITS))
    const refusals: unknown[] = []
    for (const expId of ids(100).map((id) => `new-${id}`)) {
      const refusal = refusalOf(() => {
        campaign = after(campaign, add(expId))
      })
      if (refusal !== undefined) refusals.push(refusal)
    }
    expect(campaign.bytes).toBeLessThanOrEqual(0.8 * LIMIT)
    expect(campaign.bytes).toBeGreaterThan(0.78 * LIMIT)
    expect(refusals.length).toBeGreaterThan(10)
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'campaign-full' })
    // Those that are there already may be posted again.
    expect(add('new-0001').changes).toBeNull()
  })

  test('the refusal has the figures and the setting', () => {
    const refusal = refusalOf(() => atOnce(newCampaign(newManifest('sweep', 300), LIMIT)))
    expect(refusal?.message).toMatch(
      /^Campaign sweep with its 300 experiments would have \d+ KiB, more than 80 % of the 100 KiB .*CAMPAIGND_MAX_CAMPAIGN_BYTES/,
    )
  })

  test('what a campaign became can be created again, however full it is', () => {
    const created = atOnce(newCampaign(newManifest('sweep', 180), LIMIT)).campaign
    const grown = failAll(created, 2, 'x'.repeat(500), () => undefined)
    expect(grown.bytes).toBeGreaterThan(0.85 * LIMIT)
    const creation = { now: NOW, timezone: 'UTC', uid: '5f0c1e9a7b3d2468', idSuffix: '', createdBy: null }
    const manifest = atOnce(createManifest(grown.toManifest(), creation))
    const again = atOnce(newCampaign(manifest, LIMIT))
    const outcomes = ({ experiments }: Campaign) =>
      [...experiments].map(({ exp_id, status, attempt, error }) => [exp_id, status, attempt, error])
    expect(outcomes(again.campaign)).toEqual(outcomes(grown))
  })

  test('an import that is larger than a campaign may be is cut until it fits', () => {
    const grown = failAll(sized(100, Infinity), 2, 'x'.repeat(2000), () => undefined)
    const { campaign, lines, shrunk } = atOnce(newCampaign(grown.toManifest(), LIMIT))
    expect(campaign.bytes).toBeLessThanOrEqual(0.9 * LIMIT)
    expect(shrunk).toBeGreaterThan(0)
    expect([...lines].map(([position, json]) => [position, JSON.parse(json) as unknown])).toEqual(
      [...campaign.experiments].map((one, position) => [position, one]).sort((a, b) => order(lines, a, b)),
    )
  })
})

/** What refuses the operation; undefined when nothing does. */
function refusalOf(operation: () => unknown): DomainError | undefined {
  try {
    operation()
    return undefined
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
}

function order(lines: ReadonlyMap<number, string>, [a]: unknown[], [b]: unknown[]): number {
  const positions = [...lines.keys()]
  return positions.indexOf(Number(a)) - positions.indexOf(Number(b))
}
