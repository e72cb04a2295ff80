import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { PythonToolManifest } from '#campaignd/domain/formats/python-tool-manifest.js'
import type { StudyManifest } from '#campaignd/domain/formats/study-manifest.js'
import { etagOf, openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, claimedIds, type ClaimReply, heartbeat } from '../../../support/campaigns/claims.js'
import { campaignDraft, experimentDraft } from '../../../support/campaigns/drafts.js'
import { sampleText } from '../../../support/campaigns/samples.js'
import { expectProblem } from '../../../support/http/problems.js'
import { type AppReply, openApp, type TestApp } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

type Saved = typeof PythonToolManifest.static
type Entry = Saved['experiments'][number]

const BERLIN = 'timezone=Europe/Berlin'

/** The campaign as the tool loads it, and the tag of that. */
async function load({
  call,
  path,
}: Pick<TestCampaign, 'call' | 'path'>): Promise<{ readonly file: Saved; readonly tag: string }> {
  const reply = await call('GET', `${path}?format=llenergymeasure&${BERLIN}`)
  return { file: reply.json<Saved>(), tag: etagOf(reply) }
}

function put({ call }: Pick<TestApp, 'call'>, path: string, body: object, tag?: string): Promise<AppReply> {
  const headers = tag === undefined ? {} : { 'if-match': tag }
  return call('PUT', `${path}${path.includes('?') ? '&' : '?'}${BERLIN}`, { body, headers })
}

/** Loads the campaign, changes some of its experiments and saves it, as the tool does. */
async function edit(
  campaign: TestCampaign,
  changes: Readonly<Record<string, Partial<Entry>>>,
  query = '',
): Promise<AppReply> {
  const { file, tag } = await load(campaign)
  return put(campaign, `${campaign.path}${query}`, withChanges(file, changes), tag)
}

function withChanges(file: Saved, changes: Readonly<Record<string, Partial<Entry>>>): Saved {
  return { ...file, experiments: file.experiments.map((one) => ({ ...one, ...changes[one.exp_id] })) }
}

async function expectOk(reply: Promise<AppReply>): Promise<CampaignManifest> {
  const { status, text } = await reply
  expect(status, text).toBe(200)
  return JSON.parse(text) as CampaignManifest
}

/** Refused, and nothing changed. */
async function expectRefused(
  campaign: TestCampaign,
  call: () => Promise<AppReply>,
  refusal: [number, Parameters<typeof expectProblem>[2]],
) {
  const before = bytesOf(campaign.dataDir)
  const problem = expectProblem(await call(), ...refusal)
  expect(bytesOf(campaign.dataDir)).toEqual(before)
  return problem
}

const DONE = {
  status: 'completed',
  result_path: 'results/1.json',
  started_at: '2026-02-04T09:00:00.000001',
  completed_at: '2026-02-04T10:00:00',
} as const

describe('a manifest that is saved', () => {
  test('creates the campaign that there is not, with its statuses', async () => {
    const app = await openApp()
    const { campaign_id: _id, ...body } = campaignDraft(2)
    const experiments = [experimentDraft('0001', DONE), experimentDraft('0002')]
    const reply = await put(app, '/v1/campaigns/sweep', { ...body, experiments })
    expect(reply.status, reply.text).toBe(201)
    expect(reply.headers['location']).toBe('/v1/campaigns/sweep')
    const read = await app.call('GET', '/v1/campaigns/sweep')
    expect([read.text, etagOf(read)]).toEqual([reply.text, etagOf(reply)])
    expect(reply.json<CampaignManifest>().experiments).toMatchObject([
      { status: 'completed', started_at: '2026-02-04T08:00:00.000001Z', attempt: 1 },
      { status: 'pending', attempt: 0 },
    ])
  })

  test('names the campaign of the path, or none', async () => {
    const campaign = await openCampaign(1)
    const { file, tag } = await load(campaign)
    const problem = await expectRefused(
      campaign,
      () => put(campaign, campaign.path, { ...file, campaign_id: 'other' }, tag),
      [400, 'invalid'],
    )
    expect(problem.errors).toEqual([{ pointer: '/campaign_id', detail: 'is other, but the path names sweep' }])
  })

  test('needs If-Match where there is a campaign, and says so', async () => {
    const campaign = await openCampaign(1)
    const { file } = await load(campaign)
    const saved = () => put(campaign, campaign.path, file)
    expect((await expectRefused(campaign, saved, [428, 'precondition-required'])).detail).toContain('If-Match')
  })

  test('is refused when the campaign has changed since it was loaded, and when there is none any more', async () => {
    const campaign = await openCampaign(2)
    const { file, tag } = await load(campaign)
    await campaign.report('0002', { status: 'running' })
    const saved = () => put(campaign, campaign.path, withChanges(file, { '0001': DONE }), tag)
    await expectRefused(campaign, saved, [412, 'precondition-failed'])
    await campaign.call('DELETE', `${campaign.path}?force=true`)
    await expectRefused(campaign, saved, [412, 'precondition-failed'])
  })

  test('comes back as it was saved: what the tool itself did in a day', async () => {
    const campaign = { ...(await openApp()), path: '/v1/campaigns/bbb9fb75' }
    const earlier = JSON.parse(sampleText('02_shuffled_18_failed_interrupted')) as Saved
    expect((await put(campaign, campaign.path, earlier)).status).toBe(201)
    const later = JSON.parse(sampleText('03_shuffled_18_resumed_then_crashed')) as Saved
    const { tag } = await load(campaign)
    const saved = await expectOk(put(campaign, campaign.path, later, tag))
    expect(saved.revision).toBe(2)
    const { file } = await load(campaign)
    expect(file).toEqual({ ...later, updated_at: file.updated_at })
    expect(saved.updated_at).toBe('2026-03-01T12:00:00.000Z')
  })

  test('comes back as it was saved, step by step, with what was lost, failed and retried', async () => {
    const campaign = await openCampaign(2)
    const steps: Partial<Entry>[] = [
      { status: 'running', started_at: '2026-02-04T09:00:00.123456' },
      { status: 'failed', completed_at: '2026-02-04T09:10:00', error: 'Exit code 137' },
      { status: 'running', started_at: '2026-02-04T09:20:00', completed_at: null, error: null, retry_count: 1 },
      { status: 'completed', completed_at: '2026-02-04T09:30:00.000010', result_path: 'results/1.json' },
    ]
    for (const step of steps) {
      const { file, tag } = await load(campaign)
      const next = withChanges(file, { '0001': step })
      await expectOk(put(campaign, campaign.path, next, tag))
      const after = await load(campaign)
      expect(after.file).toEqual({ ...next, updated_at: after.file.updated_at })
    }
    const [first, second] = (await campaign.manifest()).experiments
    expect(first).toMatchObject({ status: 'completed', attempt: 2, retry_count: 1, failures: 1, failure_kind: null })
    expect(first?.attempts).toMatchObject([
      { attempt: 1, status: 'failed', error: 'Exit code 137', closed_by: 'start' },
    ])
    expect(second?.revision).toBe(1)
  })

  test('changes nothing and adds no revision when it is saved again, whatever the digits of our times', async () => {
    const campaign = await openCampaign(3)
    for (const id of ['0001', '0002']) await campaign.report(id, { status: 'running', worker: 'gpu-1' })
    await campaign.report('0001', { status: 'completed', completed_at: '2026-03-01T13:00:00.123456789Z' })
    await campaign.report('0003', { status: 'failed', error: 'Traceback\n'.repeat(2000) })
    const before = bytesOf(campaign.dataDir)
    const { file, tag } = await load(campaign)
    const again = await put(campaign, campaign.path, file, tag)
    expect([again.status, etagOf(again)]).toEqual([200, tag])
    expect(bytesOf(campaign.dataDir)).toEqual(before)
    await expectOk(put(campaign, campaign.path, { ...file, campaign_name: 'renamed' }, tag))
    expect(await campaign.manifest()).toMatchObject({ campaign_name: 'renamed', revision: 6 })
  })

  test('sets what the tool knows, and leaves what only we have', async () => {
    const campaign = await openCampaign(3, { labels: { team: 'inference' }, settings: { max_retries: 2 } })
    await campaign.call('PATCH', campaign.path, { body: { archived: true } })
    await campaign.report('0001', { status: 'failed', failure_kind: 'oom', error: 'CUDA out of memory' })
    await campaign.report('0001', { status: 'running', worker: 'gpu-1' })
    await campaign.report('0001', { status: 'completed', worker: 'gpu-1', metrics: { tokens_per_s: 812.4 } })
    const before = await campaign.manifest()
    const { file, tag } = await load(campaign)
    const body = { ...file, campaign_name: 'renamed', config_hash: 'other', created_at: '2026-01-01T01:00:00' }
    const ours = { labels: { team: 'theirs' }, settings: { max_retries: 9 }, archived: false }
    const saved = await expectOk(put(campaign, campaign.path, { ...body, ...ours }, tag))
    const { experiments, ...header } = before
    const after = {
      ...{ ...header, campaign_name: 'renamed', config_hash: 'other', created_at: '2026-01-01T00:00:00Z' },
      ...{ revision: 6, experiments },
    }
    expect(saved).toEqual(after)
    expect(saved.experiments[0]).toMatchObject({ attempt: 2, metrics: { tokens_per_s: 812.4 }, worker: 'gpu-1' })
  })

  test('appends what the campaign does not have, behind what it has', async () => {
    const campaign = await openCampaign(2)
    const { file, tag } = await load(campaign)
    const [first, second] = file.experiments
    const experiments = [experimentDraft('0009', DONE), second, first, experimentDraft('0008')]
    const { total_experiments: _total, ...body } = file
    const saved = await expectOk(put(campaign, campaign.path, { ...body, experiments }, tag))
    expect(saved.experiments.map(({ exp_id, revision }) => [exp_id, revision])).toEqual([
      ...[['0001', 1], ['0002', 1], ['0009', 2], ['0008', 2]], // prettier-ignore
    ])
    expect(saved.total_experiments).toBe(4)
  })

  test('moves an experiment to another backend, for claims and progress too', async () => {
    const campaign = await openCampaign(2)
    const moved = { backend: 'pytorch', container: 'pytorch', config_name: 'bf16', config_path: 'b', cycle_index: 7 }
    await expectOk(edit(campaign, { '0002': moved }))
    expect(await claimedIds(campaign, { backend: 'pytorch', limit: 10 })).toEqual(['0002'])
    expect(await claimedIds(campaign, { container: 'vllm', limit: 10 })).toEqual(['0001'])
    const progress = await campaign.call('GET', `${campaign.path}/progress`)
    expect(progress.json()).toMatchObject({ by_backend: { vllm: { running: 1 }, pytorch: { running: 1 } } })
    const { counts: before } = progress.json<{ counts: object }>()
    await campaign.restart()
    expect((await campaign.call('GET', `${campaign.path}/progress`)).json()).toMatchObject({ counts: before })
  })
})

describe('what a saved manifest would lose', () => {
  test('is a completed experiment that it has otherwise', async () => {
    const campaign = await openCampaign(12)
    const ids = (await campaign.manifest()).experiments.map(({ exp_id }) => exp_id)
    await campaign.reportBatch(ids.map((exp_id) => ({ exp_id, status: 'completed', result_path: 'ours' })))
    const theirs = Object.fromEntries(ids.slice(1).map((exp_id) => [exp_id, { result_path: 'theirs' }]))
    const problem = await expectRefused(campaign, () => edit(campaign, theirs), [409, 'would-lose'])
    const first = ids.slice(1, 11).map((exp_id) => ({ exp_id, reason: 'completed' }))
    expect(problem.would_lose).toEqual({ count: 11, first })
    expect(problem.detail).toMatch(/^Campaign sweep would lose 11 experiments: 0002 \(completed\), .*, \.\.\.\..*force/)
  })

  test('is one that runs under a live lease, and one that it does not have', async () => {
    const campaign = await openCampaign(3)
    await claim(campaign)
    const leased = await expectRefused(campaign, () => edit(campaign, { '0001': DONE }), [409, 'would-lose'])
    expect(leased.would_lose).toEqual({ count: 1, first: [{ exp_id: '0001', reason: 'leased' }] })
    const { file, tag } = await load(campaign)
    const { total_experiments: _total, ...body } = { ...file, experiments: file.experiments.slice(0, 2) }
    const shorter = (query: string) => () => put(campaign, `${campaign.path}${query}`, body, tag)
    const missing = await expectRefused(campaign, shorter(''), [409, 'would-lose'])
    expect(missing.would_lose).toEqual({ count: 1, first: [{ exp_id: '0003', reason: 'missing' }] })
    expect(missing.detail).toContain('never removed, also not with ?force=true')
    await expectRefused(campaign, shorter('?force=true'), [409, 'would-lose'])
  })

  test('is overwritten by force, and the lease of what is changed goes', async () => {
    const campaign = await openCampaign(3)
    const { claims } = (await claim(campaign, { limit: 2 })).json<ClaimReply>()
    await campaign.report('0003', { status: 'completed', result_path: 'ours', metrics: { m: 1 } })
    const changes = { '0001': DONE, '0003': { status: 'pending', completed_at: null, result_path: null } } as const
    const saved = await expectOk(edit(campaign, changes, '?force=true'))
    const [first, second, third] = saved.experiments
    expect(first).toMatchObject({ status: 'completed', result_path: 'results/1.json', lease: null, worker: null })
    expect(second).toMatchObject({ status: 'running', worker: 'w1', lease: { seconds: 60 }, revision: 2 })
    expect(third).toMatchObject({ status: 'pending', result_path: null, metrics: null })
    expect(third?.attempts).toMatchObject([{ attempt: 1, result_path: 'ours', metrics: { m: 1 }, closed_by: 'retry' }])
    expect((await heartbeat(campaign, '0001', { run_id: claims[0]?.run_id })).status).toBe(409)
    expect((await heartbeat(campaign, '0002', { run_id: claims[1]?.run_id })).status).toBe(200)
  })
})

describe('attempts', () => {
  test('a worker whose run is replaced cannot change what replaced it', async () => {
    const campaign = await openCampaign(3)
    const run = async (id: string, body = {}) =>
      (await campaign.report(id, { status: 'running', worker: 'gpu-1', ...body })).json<{ run_id: string }>().run_id
    const runs = {
      '0001': await run('0001'),
      '0002': await run('0002'),
      '0003': await run('0003', { lease_seconds: 5 }),
    }
    await campaign.report('0002', { status: 'pending' })
    await campaign.elapse(10)
    await expectOk(edit(campaign, { '0001': DONE, '0002': DONE, '0003': { ...DONE, error: null } }))
    const before = bytesOf(campaign.dataDir)
    for (const [id, run_id] of Object.entries(runs)) {
      for (const late of [{ status: 'completed', result_path: 'late' }, { status: 'failed' }, { metrics: { m: 1 } }])
        expectProblem(await campaign.report(id, { run_id, ...late }), 409, 'stale-attempt')
    }
    expect(bytesOf(campaign.dataDir)).toEqual(before)
    expect((await campaign.manifest()).experiments).toMatchObject([
      { attempt: 2, attempts: [{ attempt: 1, worker: 'gpu-1', failure_kind: 'interrupted', closed_by: 'start' }] },
      { attempt: 2, attempts: [{ attempt: 1, worker: 'gpu-1', closed_by: 'requeue' }] },
      { attempt: 2, attempts: [{ attempt: 1, worker: 'gpu-1', failure_kind: 'lost', closed_by: 'start' }] },
    ])
  })

  test('nor can one whose run was skipped while it went on', async () => {
    const campaign = await openCampaign(1)
    const [held] = (await claim(campaign)).json<ClaimReply>().claims
    await campaign.report('0001', { status: 'skipped' })
    await expectOk(
      edit(campaign, { '0001': { status: 'completed', result_path: 'tool', completed_at: DONE.completed_at } }),
    )
    const before = bytesOf(campaign.dataDir)
    const late = { run_id: held?.run_id, status: 'completed', result_path: 'late', metrics: { m: 1 } }
    expectProblem(await campaign.report('0001', late), 409, 'stale-attempt')
    expect(bytesOf(campaign.dataDir)).toEqual(before)
  })

  test('an end in the hour that comes twice is after the start that is kept', async () => {
    const campaign = await openCampaign(1)
    await campaign.report('0001', { status: 'running', started_at: '2026-10-25T01:10:00Z' })
    const [one] = (
      await expectOk(edit(campaign, { '0001': { status: 'completed', completed_at: '2026-10-25T02:50:00' } }))
    ).experiments
    expect(one).toMatchObject({ started_at: '2026-10-25T01:10:00Z', completed_at: '2026-10-25T01:50:00Z' })
  })

  test('an end before the start that is kept stays as it is told, with its digits', async () => {
    const campaign = await openCampaign(1)
    await campaign.report('0001', { status: 'running', started_at: '2026-03-01T01:10:00Z' })
    const [one] = (
      await expectOk(edit(campaign, { '0001': { status: 'completed', completed_at: '2026-02-03T21:04:17.319' } }))
    ).experiments
    expect(one).toMatchObject({ completed_at: '2026-02-03T20:04:17.319Z' })
  })

  test('a result that its worker reported takes a correction, and stays its own', async () => {
    const campaign = await openCampaign(1)
    await campaign.report('0001', { status: 'running', worker: 'gpu-1' })
    await campaign.report('0001', { status: 'failed', worker: 'gpu-1', failure_kind: 'oom', error: 'Killed' })
    const [one] = (await expectOk(edit(campaign, { '0001': { error: 'CUDA out of memory' } }))).experiments
    expect(one).toMatchObject({
      ...{ error: 'CUDA out of memory', failure_kind: 'oom', attempt: 1, worker: 'gpu-1' },
      ...{ failures: 1, attempts: [] },
    })
  })

  test('what fails counts, and what goes back to pending has its budgets anew', async () => {
    const campaign = await openCampaign(1, { settings: { max_retries: 1 } })
    const failed = { status: 'failed', completed_at: '2026-02-04T10:00:00', error: 'x' } as const
    const used = async () =>
      (await campaign.manifest()).experiments.map(({ failures, losses }) => [failures, losses])[0]
    await edit(campaign, { '0001': { ...failed, started_at: '2026-02-04T09:00:00' } })
    expect(await used()).toEqual([1, 0])
    await edit(campaign, { '0001': { ...failed, started_at: '2026-02-04T09:30:00', retry_count: 1 } })
    expect(await used()).toEqual([2, 0])
    expect(await claimedIds(campaign)).toEqual([])
    await edit(campaign, { '0001': { status: 'pending', started_at: null, completed_at: null, error: null } })
    expect(await used()).toEqual([0, 0])
    expect(await claimedIds(campaign)).toEqual(['0001'])
  })

  test('are never counted down, and a lower retry_count alone changes nothing', async () => {
    const campaign = await openCampaign(1)
    for (const status of ['running', 'failed', 'running', 'failed']) await campaign.report('0001', { status })
    const { tag } = await load(campaign)
    const again = await edit(campaign, { '0001': { retry_count: 0 } })
    expect([again.status, etagOf(again)]).toEqual([200, tag])
    const [one] = (await expectOk(edit(campaign, { '0001': { ...DONE, error: null, retry_count: 0 } }))).experiments
    expect(one).toMatchObject({ status: 'completed', attempt: 2, retry_count: 1, attempts: [{ attempt: 1 }] })
  })

  test('what is skipped, and what runs again after a skip', async () => {
    const campaign = await openCampaign(2)
    await campaign.report('0001', { status: 'running', worker: 'gpu-1' })
    const skipped = { status: 'skipped' } as const
    const [first, second] = (await expectOk(edit(campaign, { '0001': skipped, '0002': skipped }))).experiments
    expect(first).toMatchObject({ status: 'skipped', attempt: 1, attempts: [{ attempt: 1, worker: 'gpu-1' }] })
    expect(second).toMatchObject({ status: 'skipped', attempt: 0, attempts: [] })
    const again = await expectOk(edit(campaign, { '0001': DONE, '0002': DONE }))
    expect(again.experiments.map(({ attempt }) => attempt)).toEqual([2, 1])
    const exported = await campaign.call('GET', campaign.path)
    expect((await campaign.call('POST', '/v1/campaigns?campaign_id=copy', { rawBody: exported.text })).status).toBe(201)
  })
})

test('a study is saved as its tool writes it, under the id of the path', async () => {
  const text = readFileSync(new URL('../../../samples/09_study_manifest_v2.json', import.meta.url), 'utf8')
  const study = JSON.parse(text) as StudyManifest
  const app = await openApp()
  const path = '/v1/campaigns/my-study'
  expect((await put(app, path, study)).status).toBe(201)
  const first = await app.call('GET', `${path}?format=llenergymeasure-study`)
  const again = await put(app, path, first.json(), etagOf(first))
  expect([again.status, etagOf(again)]).toEqual([200, etagOf(first)])
  const experiments = study.experiments.map((one) =>
    one.status === 'running' ? { ...one, status: 'completed', completed_at: '2026-03-01T12:00:00' } : one,
  )
  const saved = await expectOk(put(app, path, { ...study, experiments }, etagOf(first)))
  expect(saved.experiments.map(({ status, revision }) => [status, revision])).toContainEqual(['completed', 2])
  expect(saved.source).toMatchObject({ format: 'llenergymeasure-study', status: 'interrupted' })
})

describe('a campaign near its limit', () => {
  const limits = { maxCampaignBytes: 256 * 1024 }

  test('takes no more experiments, and no longer definitions', async () => {
    const campaign = await openCampaign(60, {}, { limits })
    const { file, tag } = await load(campaign)
    const config_path = 'x'.repeat(4000)
    const longer = { ...file, experiments: file.experiments.map((one) => ({ ...one, config_path })) }
    const saved = (body: object) => () => put(campaign, campaign.path, body, tag)
    await expectRefused(campaign, saved(longer), [409, 'campaign-full'])
    const more = Array.from({ length: 60 }, (_, index) => experimentDraft(`new-${index}`, { config_path }))
    const { total_experiments: _total, ...body } = file
    const grown = { ...body, experiments: [...file.experiments, ...more] }
    await expectRefused(campaign, saved(grown), [409, 'campaign-full'])
    await expectRefused(campaign, saved({ ...file, note: 'y'.repeat(400 * 1024) }), [413, 'body-too-large'])
  })

  test('takes every status, and cuts errors as for reports', async () => {
    const campaign = await openCampaign(60, {}, { limits })
    const ids = (await campaign.manifest()).experiments.map(({ exp_id }) => exp_id)
    const failed = { ...DONE, status: 'failed', result_path: null, error: 'e'.repeat(5000) } as const
    const saved = await expectOk(edit(campaign, Object.fromEntries(ids.map((id) => [id, failed]))))
    expect(Buffer.byteLength(JSON.stringify(saved))).toBeLessThan(limits.maxCampaignBytes)
    const { file, tag } = await load(campaign)
    const whole = withChanges(file, Object.fromEntries(ids.map((id) => [id, failed])))
    const again = await put(campaign, campaign.path, whole, tag)
    expect([again.status, etagOf(again)]).toEqual([200, tag])
  })
})

test('creating again finds the campaign, whatever was saved over it', async () => {
  const { call, path, ...campaign } = await openCampaign(2)
  await expectOk(edit({ call, path, ...campaign }, { '0001': DONE }))
  const again = await call('POST', '/v1/campaigns', { body: campaignDraft(2) })
  expect([again.status, again.json<CampaignManifest>().revision]).toEqual([200, 2])
})
