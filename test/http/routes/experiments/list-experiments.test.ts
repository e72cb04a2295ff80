import { expect, test } from 'vitest'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { openCampaign, openSample, type TestCampaign } from '../../../support/campaigns/campaign.js'

interface Page {
  readonly experiments: readonly Experiment[]
  readonly next_page_token: string | null
}

async function list({ call, path }: TestCampaign, query = ''): Promise<Page> {
  return (await call('GET', `${path}/experiments?${query}`)).json<Page>()
}

async function allPages(campaign: TestCampaign, query: string): Promise<Experiment[][]> {
  const pages: Experiment[][] = []
  let token: string | null = ''
  while (token !== null) {
    const page: Page = await list(campaign, `${query}${token === '' ? '' : `&page_token=${token}`}`)
    pages.push([...page.experiments])
    token = page.next_page_token
  }
  return pages
}

async function ids(campaign: TestCampaign, query: string): Promise<string> {
  return (await list(campaign, query)).experiments.map(({ exp_id }) => exp_id.slice(-2)).join(' ')
}

test('the pages hold every experiment once, in manifest order', async () => {
  const campaign = await openCampaign(250)
  const { experiments } = await campaign.manifest()
  const byDefault = await allPages(campaign, '')
  expect(byDefault.map(({ length }) => length)).toEqual([100, 100, 50])
  expect(byDefault.flat()).toEqual(experiments)
  for (const limit of [1000, 250, 249, 7]) {
    expect((await allPages(campaign, `limit=${limit}`)).flat()).toEqual(experiments)
  }
  expect(await allPages(campaign, 'limit=125')).toHaveLength(2)
})

test('the pages of a filter hold every experiment that matches once', async () => {
  const campaign = await openCampaign(60)
  const updates = Array.from({ length: 30 }, (_, index) => ({
    exp_id: String(2 * index + 1).padStart(4, '0'),
    status: 'completed',
  }))
  await campaign.reportBatch(updates)
  const pages = await allPages(campaign, 'status=completed&limit=10')
  expect(pages.map(({ length }) => length)).toEqual([10, 10, 10])
  expect(pages.flat().map(({ exp_id }) => exp_id)).toEqual(updates.map(({ exp_id }) => exp_id))
})

test('experiments that change between two pages shift nothing', async () => {
  const campaign = await openCampaign(6)
  const first = await list(campaign, 'status=pending&limit=2')
  await campaign.report('0001', { status: 'running' })
  const second = await list(campaign, `status=pending&limit=2&page_token=${first.next_page_token ?? ''}`)
  expect(second.experiments.map(({ exp_id }) => exp_id)).toEqual(['0003', '0004'])
})

test('a page that begins behind the last experiment is empty', async () => {
  const campaign = await openCampaign(3)
  const { next_page_token } = await list(campaign, 'limit=2')
  expect(next_page_token).toBeTruthy()
  for (const position of [3, 4, 1e15]) {
    const token = Buffer.from(String(position)).toString('base64url')
    expect(await list(campaign, `page_token=${token}`)).toEqual({ experiments: [], next_page_token: null })
  }
})

test('experiments are found by status, one or several', async () => {
  const campaign = await openSample('03_shuffled_18_resumed_then_crashed')
  expect(await ids(campaign, 'status=running')).toBe('55')
  expect(await ids(campaign, 'status=pending&status=running')).toBe('55 56 57 58 59')
  expect(await ids(campaign, 'status=failed')).toBe('')
})

test('remaining are the pending and the failed ones', async () => {
  const campaign = await openSample('02_shuffled_18_failed_interrupted')
  const { experiments } = await campaign.manifest()
  const isRemaining = ({ status }: Experiment) => status === 'pending' || status === 'failed'
  expect((await list(campaign, 'remaining=true')).experiments).toEqual(experiments.filter(isRemaining))
  expect((await list(campaign, 'remaining=false')).experiments).toEqual(experiments.filter((one) => !isRemaining(one)))
})

test('experiments are found by what they run and where, and all that is asked for must hold', async () => {
  const campaign = await openSample('03_shuffled_18_resumed_then_crashed')
  expect(await ids(campaign, 'backend=pytorch')).toBe('43 46 49 53 55 57')
  expect(await ids(campaign, 'container=pytorch')).toBe('43 46 49 53 55 57')
  expect(await ids(campaign, 'cycle_index=2')).toBe('54 55 56 57 58 59')
  expect(await ids(campaign, 'backend=pytorch&cycle_index=2')).toBe('55 57')
  expect(await ids(campaign, 'backend=pytorch&cycle_index=2&status=pending')).toBe('57')
  expect(await ids(campaign, 'backend=onnx')).toBe('')
  expect(await ids(campaign, 'backend=PyTorch')).toBe('')
})

test('experiments are found by config and by worker', async () => {
  const campaign = await openCampaign(3)
  await campaign.report('0002', { status: 'running', worker: 'gpu 1/vllm' })
  expect(await ids(campaign, `worker=${encodeURIComponent('gpu 1/vllm')}`)).toBe('02')
  expect(await ids(campaign, 'worker=gpu')).toBe('')
  expect(await ids(campaign, 'config_name=llama3-8b-bf16')).toBe('01 02 03')
  expect(await ids(campaign, 'config_name=llama3')).toBe('')
})
