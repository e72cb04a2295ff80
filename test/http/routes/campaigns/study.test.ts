import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { StudyManifest } from '#campaignd/domain/formats/study-manifest.js'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import { expectProblem } from '../../../support/http/problems.js'
import { openApp } from '../../../support/service/app.js'

const TEXT = readFileSync(new URL('../../../samples/09_study_manifest_v2.json', import.meta.url), 'utf8')
const STUDY = JSON.parse(TEXT) as StudyManifest
const PATH = '/v1/campaigns/backend-sweep-deadbeef'

test('a StudyManifest of the Python tool is imported', async () => {
  const { call } = await openApp()
  const created = await call('POST', '/v1/campaigns', { rawBody: TEXT })
  expect(created.status, created.text).toBe(201)
  expect(created.headers['location']).toBe(PATH)
  const manifest = created.json<CampaignManifest>()
  expect(manifest).toMatchObject({
    ...{ campaign_name: 'backend-sweep', config_hash: 'deadbeef12345678', total_experiments: 4 },
    created_at: '2026-03-01T10:00:00.123456Z',
    source: { schema_version: '2.0', llenergymeasure_version: '0.8.0', status: 'interrupted' },
  })
  const [first, second, third] = manifest.experiments
  expect(first).toMatchObject({
    ...{ exp_id: 'abc123def4567890-c1', config_name: 'pytorch / meta-llama-llama-3.1-8b / bf16', cycle_index: 0 },
    ...{ backend: 'pytorch', container: 'pytorch', status: 'completed', attempt: 1, error: null },
    result_path: 'llama_pytorch_bf16_abc123de.json',
  })
  expect(second).toMatchObject({ status: 'failed', cycle_index: 1, error: 'RuntimeError: CUDA out of memory' })
  expect(third).toMatchObject({ exp_id: 'ffee123def456789-c1', status: 'running', lease: null })
})

test('an untouched study comes back with its keys and values, and the same body finds it', async () => {
  const { call } = await openApp()
  await call('POST', '/v1/campaigns', { rawBody: TEXT })
  const exported = await call('GET', `${PATH}?format=llenergymeasure-study`)
  expect(exported.text).toBe(TEXT)
  expect((await call('POST', '/v1/campaigns', { rawBody: TEXT })).status).toBe(200)
  expect((await call('POST', '/v1/campaigns?campaign_id=copy', { rawBody: TEXT })).status).toBe(201)
})

const ENDED = { completed_at: '2026-03-01T11:00:00Z', status: 'partial', completed: 4, failed: 0, pending: 0 }

/** The study with what is given for it and for its second experiment, laid out as the tool does. */
function studyWith(given: object, second: object = {}, all: object = {}): string {
  const experiments = STUDY.experiments.map((one, index) => ({ ...one, ...all, ...(index === 1 ? second : {}) }))
  return JSON.stringify({ ...STUDY, ...given, experiments }, null, 2)
}

test.each([
  ['that ended with failures', studyWith(ENDED, {}, { status: 'completed', error_type: null, error_message: null })],
  ['that is going on', studyWith({ status: 'running' })],
  ['that was never started', studyWith({ started_at: null })],
  ['of an unknown version', studyWith({ llenergymeasure_version: null })],
  ['with a dotted type', studyWith({}, { error_type: 'torch.cuda.OutOfMemoryError' })],
  ['with a type in small letters', studyWith({}, { error_type: 'oom' })],
  ['with a type alone', studyWith({}, { error_message: null })],
  ['with a type and nothing to say', studyWith({}, { error_message: '' })],
  ['with an empty type', studyWith({}, { error_type: '' })],
  ['with a message alone', studyWith({}, { error_type: null, error_message: 'CUDA out of memory: GPU 0' })],
])('an untouched study %s comes back as it was', async (_, text) => {
  const { call } = await openApp()
  const created = await call('POST', '/v1/campaigns', { rawBody: text })
  expect(created.status, created.text).toBe(201)
  expect((await call('GET', `${PATH}?format=llenergymeasure-study`)).text).toBe(text)
})

test('a study that is only labelled is as it was, and a copy of one that went on stands as that does', async () => {
  const { call } = await openApp()
  const one = {
    ...STUDY,
    experiments: STUDY.experiments.slice(0, 2),
    total_experiments: 2,
    completed: 1,
    failed: 1,
    pending: 0,
  }
  const text = JSON.stringify({ ...one, completed_at: '2026-03-01T11:00:00Z', status: 'partial' }, null, 2)
  await call('POST', '/v1/campaigns', { rawBody: text })
  await call('PATCH', PATH, { body: { labels: { team: 'inference' } } })
  expect((await call('GET', `${PATH}?format=llenergymeasure-study`)).text).toBe(text)
  await call('POST', `${PATH}/retry`, { body: {} })
  const done = { status: 'completed', completed_at: '2026-03-02T09:00:00Z' }
  await call('PATCH', `${PATH}/experiments/abc123def4567890-c2`, { body: done })
  const ended = { status: 'completed', completed_at: '2026-03-02T09:00:00Z', completed: 2, failed: 0 }
  await call('POST', '/v1/campaigns?campaign_id=copy', { rawBody: (await call('GET', PATH)).text })
  for (const path of [PATH, '/v1/campaigns/copy']) {
    expect((await call('GET', `${path}?format=llenergymeasure-study`)).json()).toMatchObject(ended)
  }
})

test('a study that was imported before its counts were kept has its version all the same', async () => {
  const { call } = await openApp()
  const source = { format: 'llenergymeasure-study', schema_version: '2.0', llenergymeasure_version: '0.8.0' }
  const standing = { started_at: null, completed_at: null, status: 'interrupted' }
  const draft = { ...campaignDraft(2), campaign_id: 'backend-sweep-deadbeef', source: { ...source, ...standing } }
  expect((await call('POST', '/v1/campaigns', { body: draft })).status).toBe(201)
  const study = (await call('GET', `${PATH}?format=llenergymeasure-study`)).json<StudyManifest>()
  expect(study).toMatchObject({ llenergymeasure_version: '0.8.0', status: 'interrupted', completed: 0 })
})

test('a long message is cut, and its type stays', async () => {
  const { call } = await openApp()
  await call('POST', '/v1/campaigns', { rawBody: studyWith({}, { error_message: `first ${'x'.repeat(20_000)} last` }) })
  const { experiments } = (await call('GET', `${PATH}?format=llenergymeasure-study`)).json<StudyManifest>()
  expect(experiments[1]?.error_type).toBe('RuntimeError')
  expect(experiments[1]?.error_message).toMatch(/^\[\d+ bytes cut\]\nx+ last$/)
})

test('local times of a study are read in the zone, all of them', async () => {
  const { call } = await openApp()
  const text = studyWith({ started_at: '2026-03-01 11:00:00', completed_at: '2026-03-01T12:30:00' })
  await call('POST', '/v1/campaigns?timezone=Europe/Berlin', { rawBody: text })
  const study = (await call('GET', `${PATH}?format=llenergymeasure-study`)).json<StudyManifest>()
  expect([study.started_at, study.completed_at]).toEqual(['2026-03-01T10:00:00Z', '2026-03-01T11:30:00Z'])
})

test('a source that is not of a study is not taken for one', async () => {
  const { call } = await openApp()
  const source = {
    format: 'ours',
    started_at: { at: 1 },
    llenergymeasure_version: [1],
    status: 5,
    completed_at: 'never',
  }
  await call('POST', '/v1/campaigns', { body: { ...campaignDraft(2), campaign_id: 'backend-sweep-deadbeef', source } })
  const exported = await call('GET', `${PATH}?format=llenergymeasure-study`)
  expect(exported.json()).toMatchObject({ started_at: null, llenergymeasure_version: null, status: 'interrupted' })
  expect((await call('POST', '/v1/campaigns?campaign_id=copy', { rawBody: exported.text })).status).toBe(201)
})

test('a resume puts back what its orchestrator left running, and the export tells how it goes on', async () => {
  const { call } = await openApp()
  await call('POST', '/v1/campaigns', { rawBody: TEXT })
  const { remaining } = (await call('POST', `${PATH}/resume`, { body: {} })).json<{ remaining: string[] }>()
  expect(remaining).toEqual(['abc123def4567890-c2', 'ffee123def456789-c1', 'ffee123def456789-c2'])
  for (const exp_id of remaining)
    await call('PATCH', `${PATH}/experiments/${exp_id}`, { body: { status: 'completed' } })
  const study = (await call('GET', `${PATH}?format=llenergymeasure-study`)).json<StudyManifest>()
  expect(study).toMatchObject({ status: 'completed', completed: 4, failed: 0, pending: 0 })
  expect(study.completed_at).not.toBeNull()
})

test('a study with a fault is refused where it is, and another version with those that are read', async () => {
  const { call } = await openApp()
  const faults: readonly [object, string][] = [
    [{ colour: 'red' }, '/colour'],
    [{ study_name: 7 }, '/study_name'],
    [{ experiments: [{ ...STUDY.experiments[0], cycle: 0 }] }, '/experiments/0/cycle'],
    [{ total_experiments: 9 }, '/total_experiments'],
    [{ schema_version: '3.0' }, '/schema_version'],
    [{ status: 'x'.repeat(257) }, '/status'],
    [{ completed_at: '2026-02-30T10:00:00Z' }, '/completed_at'],
    [{ experiments: [...STUDY.experiments, STUDY.experiments[1]], total_experiments: 5 }, '/experiments/4/cycle'],
  ]
  for (const [given, pointer] of faults) {
    const problem = expectProblem(await call('POST', '/v1/campaigns', { body: { ...STUDY, ...given } }), 400, 'invalid')
    expect(problem.errors?.map((error) => error.pointer)).toEqual([pointer])
  }
})

test('a long study is checked piece by piece', async () => {
  const { call } = await openApp()
  const [one] = STUDY.experiments
  const experiments = Array.from({ length: 3000 }, (_, index) => ({ ...one, cycle: index + 1 }))
  const body = { ...STUDY, experiments, total_experiments: 3000 }
  expect((await call('POST', '/v1/campaigns', { body })).status).toBe(201)
  const wrong = experiments.with(2999, { ...one, cycle: -1 })
  const problem = expectProblem(
    await call('POST', '/v1/campaigns', { body: { ...body, experiments: wrong } }),
    400,
    'invalid',
  )
  expect(problem.errors).toMatchObject([{ pointer: '/experiments/2999/cycle' }])
})

test.each([{}, { runs: [] }, { name: 'sweep', jobs: 3 }])(
  '%j is none of the formats that are read, and is told them',
  async (body) => {
    const { call } = await openApp()
    const problem = expectProblem(await call('POST', '/v1/campaigns', { body }), 400, 'invalid')
    expect(problem.detail).toMatch(/CampaignManifest of llenergymeasure.*StudyManifest \(schema_version "2\.0"\)/)
  },
)
