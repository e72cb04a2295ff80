import { expect, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { experimentDraft } from '../../../support/campaigns/drafts.js'
import { expectProblem } from '../../../support/http/problems.js'
import { type AppReply, openApp, type TestApp } from '../../../support/service/app.js'

const { exp_id: _id, cycle_index: _cycle, ...CONFIG } = experimentDraft('0001')

function configs(count: number) {
  return Array.from({ length: count }, (_, index) => ({ ...CONFIG, config_name: `c${index}` }))
}

function create({ call }: TestApp, given: object, id = 'sweep'): Promise<AppReply> {
  const body = { campaign_id: id, campaign_name: 'sweep', config_hash: '1', ...given }
  return call('POST', '/v1/campaigns', { body })
}

function runsOf(reply: AppReply): string[] {
  const { experiments } = reply.json<CampaignManifest>()
  expect(experiments.map(({ exp_id }) => exp_id)).toEqual(
    experiments.map((_, index) => String(index + 1).padStart(4, '0')),
  )
  return experiments.map(({ config_name, cycle_index }) => `${config_name}/${cycle_index}`)
}

test.each([
  [undefined, ['c0/0', 'c0/1', 'c0/2', 'c1/0', 'c1/1', 'c1/2']],
  ['sequential', ['c0/0', 'c0/1', 'c0/2', 'c1/0', 'c1/1', 'c1/2']],
  ['interleaved', ['c0/0', 'c1/0', 'c0/1', 'c1/1', 'c0/2', 'c1/2']],
])('a matrix of two configs and three cycles in the order %s', async (order, runs) => {
  const reply = await create(await openApp(), { matrix: { configs: configs(2), cycles: 3, order } })
  expect(reply.status).toBe(201)
  expect(runsOf(reply)).toEqual(runs)
})

test('a shuffled matrix has each run once, in an order that its seed makes, always the same', async () => {
  const app = await openApp()
  const of = (id: string, seed?: number) =>
    create(app, { matrix: { configs: configs(5), cycles: 8, order: 'shuffled', seed } }, id)
  const byDefault = runsOf(await of('a'))
  expect(byDefault).toEqual(runsOf(await of('b', 0)))
  expect(byDefault).not.toEqual(runsOf(await of('c', 1)))
  const sequential = runsOf(await create(app, { matrix: { configs: configs(5), cycles: 8 } }, 'd'))
  expect(byDefault).not.toEqual(sequential)
  expect(byDefault.toSorted()).toEqual(sequential.toSorted())
})

test('a matrix makes the same campaign as its experiments one by one', async () => {
  const app = await openApp()
  const created = await create(app, { matrix: { configs: configs(2), cycles: 1 } })
  const experiments = configs(2).map((config, index) => ({ exp_id: `000${index + 1}`, ...config, cycle_index: 0 }))
  const again = await create(app, { experiments })
  expect([again.status, again.text]).toEqual([200, created.text])
})

test('a short matrix that describes more than a campaign may hold is refused before it is made', async () => {
  const app = await openApp()
  const long = { ...CONFIG, config_name: 'x'.repeat(4096), config_path: 'x'.repeat(4096) }
  const reply = await create(app, { matrix: { configs: [long], cycles: 100_000 } })
  expectProblem(reply, 409, 'campaign-full')
})

test('a matrix with experiments beside it, without configs, or with too many runs is refused', async () => {
  const app = await openApp()
  const refusals: readonly [object, string][] = [
    [{ matrix: { configs: configs(1), cycles: 1 }, experiments: [] }, '/matrix'],
    [{}, '/experiments'],
    [{ matrix: { configs: [], cycles: 1 } }, '/matrix/configs'],
    [{ matrix: { configs: configs(1), cycles: 0 } }, '/matrix/cycles'],
    [{ matrix: { configs: configs(1), cycles: 1, order: 'random' } }, '/matrix/order'],
    [{ matrix: { configs: configs(2), cycles: 2 ** 40 } }, '/matrix'],
    [{ matrix: { configs: [experimentDraft('0001')], cycles: 1 } }, '/matrix/configs/0/exp_id'],
  ]
  for (const [body, pointer] of refusals) {
    const problem = expectProblem(await create(app, body), 400, 'invalid')
    expect(problem.errors?.map((error) => error.pointer)).toContain(pointer)
  }
})
