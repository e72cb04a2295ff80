import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentWithRun } from '#campaignd/domain/views/experiment-with-run.js'
import { etagOf, openCampaign } from '../../../support/campaigns/campaign.js'
import { expectProblem } from '../../../support/http/problems.js'
import type { AppReply } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

/** As the manifest has it. */
function withoutRun(reply: AppReply): Experiment {
  const { run_id: _run, ...experiment } = reply.json<ExperimentWithRun>()
  return experiment
}

test('the response to a report is the new experiment, with its ETag', async () => {
  const { call, path, report, setTime } = await openCampaign()
  setTime('2026-03-01T13:00:00.000Z')
  const started = await report('0002', { status: 'running', worker: 'gpu-1' })
  expect(started.status).toBe(200)
  expect(started.json()).toMatchObject({
    exp_id: '0002',
    status: 'running',
    attempt: 1,
    retry_count: 0,
    revision: 2,
    worker: 'gpu-1',
    started_at: '2026-03-01T13:00:00.000Z',
    lease: null,
  })

  setTime('2026-03-01T14:00:00.000Z')
  const finished = await report('0002', { status: 'completed', result_path: 'results/0002.json' })
  expect(finished.json()).toMatchObject({
    status: 'completed',
    revision: 3,
    started_at: '2026-03-01T13:00:00.000Z',
    completed_at: '2026-03-01T14:00:00.000Z',
    result_path: 'results/0002.json',
  })
  expect(etagOf(finished)).not.toBe(etagOf(started))

  const read = await call('GET', `${path}/experiments/0002`)
  expect(read.json()).toEqual(finished.json())
  expect(etagOf(read)).toBe(etagOf(finished))
})

test('a report that was made already changes nothing and adds no revision', async () => {
  const { dataDir, manifest, report } = await openCampaign()
  for (const body of [
    { status: 'running', worker: 'gpu-1', attempt: 1 },
    { status: 'failed', error: 'Exit code 137', failure_kind: 'oom', attempt: 1 },
  ]) {
    const first = await report('0001', body)
    const before = bytesOf(dataDir)
    const again = await report('0001', body)
    expect(again.status).toBe(200)
    expect(again.json()).toEqual(first.json())
    expect(etagOf(again)).toBe(etagOf(first))
    expect(bytesOf(dataDir)).toEqual(before)
  }
  expect((await manifest()).revision).toBe(3)
})

test('an experiment that failed keeps its history, and nothing of the old error, when it is started again', async () => {
  const { report } = await openCampaign()
  await report('0001', { status: 'running' })
  await report('0001', { status: 'failed', error: 'CUDA out of memory', failure_kind: 'oom', result_path: 'partial' })
  const started = await report('0001', { status: 'running', attempt: 2, worker: 'gpu-2' })
  expect(started.json()).toMatchObject({
    attempt: 2,
    retry_count: 1,
    worker: 'gpu-2',
    error: null,
    failure_kind: null,
    result_path: null,
    completed_at: null,
    attempts: [{ attempt: 1, status: 'failed', failure_kind: 'oom', error: 'CUDA out of memory' }],
  })
})

test('a start that gives lease_seconds has a lease, one that does not has none', async () => {
  const { report } = await openCampaign()
  const leased = await report('0001', { status: 'running', lease_seconds: 90 })
  expect(leased.json<Experiment>().lease).toEqual({ seconds: 90, claim_id: null, claimed_at: null })
  const unleased = await report('0002', { status: 'running' })
  expect(unleased.json<Experiment>().lease).toBeNull()
})

test('a campaign or an experiment that there is not is not found, whatever If-Match says', async () => {
  const { call, path, report } = await openCampaign()
  const body = { status: 'running' }
  for (const headers of [{}, { 'if-match': '"anything"' }]) {
    expectProblem(await report('0009', body, { headers }), 404, 'experiment-not-found')
    expectProblem(
      await call('PATCH', '/v1/campaigns/nothing/experiments/0001', { body, headers }),
      404,
      'campaign-not-found',
    )
  }
  expectProblem(await call('GET', `${path}/experiments/0009`), 404, 'experiment-not-found')
})

test('every conflict carries the experiment as it stands, and changes nothing', async () => {
  const { call, dataDir, path, report } = await openCampaign()
  await report('0001', { status: 'running', worker: 'gpu-1' })
  await report('0002', { status: 'completed', result_path: 'results/0002.json' })
  const before = bytesOf(dataDir)
  const conflicts = [
    ['already-running', '0001', { status: 'running', worker: 'gpu-2' }],
    ['already-running', '0001', { status: 'running' }],
    ['not-the-owner', '0001', { status: 'completed', worker: 'gpu-2' }],
    ['stale-attempt', '0001', { status: 'completed', attempt: 2 }],
    ['stale-attempt', '0003', { status: 'running', attempt: 2 }],
    ['transition-refused', '0002', { status: 'running' }],
    ['transition-refused', '0002', { status: 'failed' }],
    ['transition-refused', '0002', { status: 'pending' }],
    ['transition-refused', '0002', { worker: 'gpu-9' }],
  ] as const
  for (const [code, expId, body] of conflicts) {
    const problem = expectProblem(await report(expId, body), 409, code)
    expect(problem.experiment).toEqual(withoutRun(await call('GET', `${path}/experiments/${expId}`)))
  }
  expect(bytesOf(dataDir)).toEqual(before)
})

test('a completed experiment takes a result_path that comes later', async () => {
  const { report } = await openCampaign()
  await report('0001', { status: 'completed' })
  const later = await report('0001', { result_path: 'results/0001.json' })
  expect(later.json()).toMatchObject({ status: 'completed', result_path: 'results/0001.json', revision: 3 })
  const firstAgain = await report('0001', { status: 'completed', result_path: null })
  expect(firstAgain.json()).toMatchObject({ result_path: 'results/0001.json', revision: 3 })
  await report('0002', { status: 'completed' })
  const withStatus = await report('0002', { status: 'completed', result_path: 'results/0002.json' })
  expect(withStatus.json()).toMatchObject({ result_path: 'results/0002.json', revision: 5 })
})

test.each([
  ['', '2026-07-03T21:04:17.319159', '2026-07-03T21:04:17.319159Z'],
  ['?timezone=Europe/Berlin', '2026-07-03T21:04:17.319159', '2026-07-03T19:04:17.319159Z'],
  ['?timezone=Europe/Berlin', '2026-07-03T21:04:17+05:30', '2026-07-03T15:34:17Z'],
])(
  'times of a report are read in the time zone of the query and keep their digits: %s %s',
  async (query, time, utc) => {
    const { report } = await openCampaign()
    const reply = await report('0001', { status: 'completed', started_at: time, completed_at: time }, { query })
    expect(reply.json()).toMatchObject({ started_at: utc, completed_at: utc })
  },
)

test('a report that the status cannot have is refused at its field', async () => {
  const { report } = await openCampaign()
  await report('0001', { status: 'running' })
  const refusals = [
    ['0001', { status: 'completed', failure_kind: 'oom' }, '/failure_kind'],
    ['0001', { completed_at: '2026-03-01T12:00:00Z' }, '/completed_at'],
    ['0002', { worker: 'gpu-1' }, '/worker'],
    ['0002', { status: 'completed', lease_seconds: 60 }, '/lease_seconds'],
    ['0002', { status: 'running', started_at: '2026-02-30T12:00:00' }, '/started_at'],
  ] as const
  for (const [expId, body, pointer] of refusals) {
    const problem = expectProblem(await report(expId, body), 400, 'invalid')
    expect(problem.errors).toMatchObject([{ pointer }])
  }
})

test('reports that arrive together are all made, each with a revision of its own', async () => {
  const { manifest, report } = await openCampaign(20)
  const ids = (await manifest()).experiments.map(({ exp_id }) => exp_id)
  const replies = await Promise.all(ids.map((id) => report(id, { status: 'running', worker: `gpu-${id}` })))
  expect(replies.map(({ status }) => status)).toEqual(ids.map(() => 200))
  expect(new Set(replies.map((reply) => reply.json<Experiment>().revision)).size).toBe(20)
  expect(await manifest()).toMatchObject({ revision: 21, experiments: replies.map(withoutRun) })
})

test('of workers that start the same experiment at once one succeeds', async () => {
  const { report } = await openCampaign()
  const replies = await Promise.all(
    ['gpu-1', 'gpu-2', 'gpu-3'].map((worker) => report('0001', { status: 'running', attempt: 1, worker })),
  )
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409])
})
