import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { experiment, experimentDraft } from '../../../support/campaigns/drafts.js'
import { expectProblem } from '../../../support/http/problems.js'
import type { AppReply } from '../../../support/service/app.js'
import { bytesOf } from '../../../support/store/files.js'

interface Appended {
  readonly experiments: readonly Experiment[]
  readonly revision: number
}

function append({ call, path }: TestCampaign, experiments: readonly object[], query = ''): Promise<AppReply> {
  return call('POST', `${path}/experiments${query}`, { body: { experiments } })
}

async function idsOf({ manifest }: TestCampaign): Promise<string[]> {
  return (await manifest()).experiments.map(({ exp_id }) => exp_id)
}

test('appended experiments come after those that are there, in one revision', async () => {
  const campaign = await openCampaign(2)
  const reply = await append(campaign, [experimentDraft('z'), experimentDraft('a')])
  expect(reply.status).toBe(201)
  const { experiments, revision } = reply.json<Appended>()
  expect(revision).toBe(2)
  expect(experiments).toEqual(['z', 'a'].map((exp_id) => experiment({ exp_id, revision: 2 })))
  expect(await idsOf(campaign)).toEqual(['0001', '0002', 'z', 'a'])
  expect(await campaign.manifest()).toMatchObject({ total_experiments: 4, revision: 2 })
  const progress = (await campaign.call('GET', `${campaign.path}/progress`)).json()
  expect(progress).toMatchObject({ total: 4, remaining: 4 })
})

test('the same append again finds the experiments as they stand and changes nothing', async () => {
  const campaign = await openCampaign(1)
  const drafts = [experimentDraft('0002'), experimentDraft('0003')]
  await append(campaign, drafts)
  await campaign.report('0002', { status: 'running' })
  const before = bytesOf(campaign.dataDir)
  const again = await append(campaign, drafts)
  expect(again.status).toBe(200)
  expect(again.json<Appended>()).toMatchObject({
    revision: 3,
    experiments: [
      { exp_id: '0002', status: 'running' },
      { exp_id: '0003', status: 'pending' },
    ],
  })
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('of a list that is partly there the rest is appended', async () => {
  const campaign = await openCampaign(2)
  const known = (await campaign.manifest()).experiments[1]
  const reply = await append(campaign, [experimentDraft('0003'), experimentDraft('0002', { cycle_index: 1 })])
  expect(reply.status).toBe(201)
  expect(reply.json<Appended>().experiments).toMatchObject([{ exp_id: '0003' }, known ?? {}])
  expect(await idsOf(campaign)).toEqual(['0001', '0002', '0003'])
})

test('an exp_id that is there with another definition is refused, and nothing of the list is appended', async () => {
  const campaign = await openCampaign(2)
  const before = bytesOf(campaign.dataDir)
  const reply = await append(campaign, [experimentDraft('0003'), experimentDraft('0001', { config_hash: 'other' })])
  const problem = expectProblem(reply, 409, 'experiment-exists')
  expect(problem.experiment).toMatchObject({ exp_id: '0001', config_hash: '2bab738210c9' })
  expect(bytesOf(campaign.dataDir)).toEqual(before)
})

test('experiments that were run already can be appended as they are, their naive times read in the zone of the query', async () => {
  const campaign = await openCampaign(1)
  const run = { status: 'failed', error: 'Exit code 137', retry_count: 1, started_at: '2026-02-03T21:04:17.319159' }
  const reply = await append(campaign, [{ ...experimentDraft('0002'), ...run }], '?timezone=Asia/Tokyo')
  expect(reply.json<Appended>().experiments).toMatchObject([
    { status: 'failed', attempt: 2, failure_kind: 'error', started_at: '2026-02-03T12:04:17.319159Z' },
  ])
})

test('a completed campaign that is appended to is complete no more', async () => {
  const campaign = await openCampaign(1)
  await campaign.report('0001', { status: 'completed' })
  await append(campaign, [experimentDraft('0002')])
  const progress = (await campaign.call('GET', `${campaign.path}/progress`)).json()
  expect(progress).toMatchObject({ state: 'idle', is_complete: false, progress_fraction: 0.5 })
})

test('appends that arrive together are all made, none over another', async () => {
  const campaign = await openCampaign(1)
  const ids = Array.from({ length: 10 }, (_, index) => `a${index}`)
  const replies = await Promise.all(ids.map((id) => append(campaign, [experimentDraft(id)])))
  expect(replies.map(({ status }) => status)).toEqual(ids.map(() => 201))
  expect((await idsOf(campaign)).sort()).toEqual(['0001', ...ids])
  expect((await campaign.manifest()).revision).toBe(11)
})
