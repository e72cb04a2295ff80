import { describe, expect, test } from 'vitest'
import type { CampaignSettings } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment, FailureKind } from '#campaignd/domain/experiment/experiment.js'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, claimedIds, type ClaimReply } from '../../../support/campaigns/claims.js'
import { expectProblem } from '../../../support/http/problems.js'

async function first({ manifest }: TestCampaign): Promise<Experiment> {
  const [experiment] = (await manifest()).experiments
  if (experiment === undefined) throw new Error('there is none')
  return experiment
}

function open(settings: Partial<CampaignSettings>): Promise<TestCampaign> {
  return openCampaign(1, { settings: { lease_seconds: 10, ...settings } })
}

/** Claims the experiment and fails it so. @returns whether it could be claimed */
async function failAs(campaign: TestCampaign, failure_kind: FailureKind): Promise<boolean> {
  const [claimed] = (await claim(campaign)).json<ClaimReply>().claims
  if (claimed === undefined) return false
  if (failure_kind === 'lost') await campaign.elapse(11)
  else await campaign.report('0001', { status: 'failed', run_id: claimed.run_id, failure_kind })
  return true
}

describe('what is handed out again by itself', () => {
  test.each(['error', 'timeout', 'oom'] as const)('%s uses up max_retries, and no loss', async (kind) => {
    const campaign = await open({ max_retries: 1, max_losses: 5 })
    expect([await failAs(campaign, kind), await failAs(campaign, kind), await failAs(campaign, kind)]).toEqual([
      true,
      true,
      false,
    ])
    expect(await first(campaign)).toMatchObject({ status: 'failed', failures: 2, losses: 0 })
  })

  test.each(['lost', 'interrupted'] as const)('%s uses up max_losses, and no retry', async (kind) => {
    const campaign = await open({ max_retries: 0, max_losses: 1 })
    expect([await failAs(campaign, kind), await failAs(campaign, kind), await failAs(campaign, kind)]).toEqual([
      true,
      true,
      false,
    ])
    expect(await first(campaign)).toMatchObject({ status: 'failed', failures: 0, losses: 2 })
  })

  test('three preempted machines leave every retry, and the last failure decides by its own kind', async () => {
    const campaign = await open({ max_retries: 1, max_losses: 3 })
    for (const kind of ['lost', 'interrupted', 'lost', 'error'] as const)
      expect(await failAs(campaign, kind)).toBe(true)
    expect(await first(campaign)).toMatchObject({ failures: 1, losses: 3, attempt: 4 })
    expect(await failAs(campaign, 'lost')).toBe(true)
    expect((await claim(campaign)).json()).toEqual({ claims: [], done: true, state: 'failed' })
  })

  test('a worker is not told that all is done while a loss may bring back what runs', async () => {
    const campaign = await open({ max_retries: 0, max_losses: 1 })
    await claim(campaign)
    expect((await claim(campaign, { worker: 'w2' })).json()).toMatchObject({ claims: [], done: false })
    const without = await open({ max_retries: 0, max_losses: 0 })
    await claim(without)
    expect((await claim(without, { worker: 'w2' })).json()).toMatchObject({ claims: [], done: true })
  })

  test.each<[string, (campaign: TestCampaign) => Promise<unknown>]>([
    ['retry', ({ call, path }) => call('POST', `${path}/retry`, { body: {} })],
    ['resume', ({ call, path }) => call('POST', `${path}/resume`, { body: {} })],
    ['a report of pending', ({ report }) => report('0001', { status: 'pending' })],
  ])('by hand, by %s, both budgets begin anew', async (_, putBack) => {
    const campaign = await open({ max_retries: 1, max_losses: 0 })
    await failAs(campaign, 'error')
    await failAs(campaign, 'error')
    await putBack(campaign)
    expect(await first(campaign)).toMatchObject({ status: 'pending', failures: 0, losses: 0, attempt: 2 })
    expect([await failAs(campaign, 'error'), await failAs(campaign, 'error'), await failAs(campaign, 'error')]).toEqual(
      [true, true, false],
    )
  })

  test('an attempt counts once, by the last that is known of how it ended', async () => {
    const campaign = await open({ max_retries: 0, max_losses: 3 })
    await failAs(campaign, 'lost')
    await campaign.report('0001', { status: 'failed', attempt: 1, failure_kind: 'oom' })
    expect(await first(campaign)).toMatchObject({ failure_kind: 'oom', failures: 1, losses: 0 })
    expect((await claim(campaign)).json()).toEqual({ claims: [], done: true, state: 'failed' })
    await campaign.report('0001', { failure_kind: 'interrupted' })
    expect(await first(campaign)).toMatchObject({ failure_kind: 'interrupted', failures: 0, losses: 1 })
    await campaign.report('0001', { failure_kind: 'timeout' })
    expect(await first(campaign)).toMatchObject({ failure_kind: 'timeout', failures: 1, losses: 0 })
  })

  test('a start by a report leaves both', async () => {
    const campaign = await open({ max_retries: 0, max_losses: 3 })
    await failAs(campaign, 'lost')
    await campaign.report('0001', { status: 'running' })
    expect(await first(campaign)).toMatchObject({ status: 'running', failures: 0, losses: 1 })
  })
})

describe('a pause that tells workers to stop', () => {
  async function openStopping(): Promise<{ campaign: TestCampaign; run_id: string }> {
    const campaign = await open({ max_retries: 0, max_losses: 0 })
    const [claimed] = (await claim(campaign)).json<ClaimReply>().claims
    await campaign.call('PATCH', `${campaign.path}?cancel_running=true`, { body: { settings: { paused: true } } })
    return { campaign, run_id: claimed?.run_id ?? '' }
  }

  test('puts what was interrupted back to pending, with what was reported in its record, and no budget touched', async () => {
    const { campaign, run_id } = await openStopping()
    const report = { status: 'failed', run_id, failure_kind: 'interrupted', error: 'SIGTERM' }
    const stopped = await campaign.report('0001', report)
    expect(stopped.status).toBe(200)
    expect(stopped.json()).toMatchObject({ status: 'pending', failures: 0, losses: 0, run_id: null })
    const before = await first(campaign)
    expect(before.attempts).toMatchObject([
      { attempt: 1, status: 'failed', failure_kind: 'interrupted', error: 'SIGTERM', closed_by: 'pause' },
    ])
    for (const again of [report, { status: 'failed', failure_kind: 'interrupted', worker: 'w1' }]) {
      expect((await campaign.report('0001', again)).status).toBe(200)
    }
    expect(await first(campaign)).toEqual(before)
    await campaign.call('PATCH', campaign.path, { body: { settings: { paused: false } } })
    expect(await claimedIds(campaign)).toEqual(['0001'])
  })

  test('does the same when the lease runs out', async () => {
    const { campaign } = await openStopping()
    await campaign.elapse(11)
    const experiment = await first(campaign)
    expect(experiment).toMatchObject({ status: 'pending', failures: 0, losses: 0 })
    expect(experiment.attempts).toMatchObject([{ failure_kind: 'lost', closed_by: 'pause' }])
  })

  test.each(['error', 'oom', 'timeout'] as const)('counts a failure of kind %s as it is', async (failure_kind) => {
    const { campaign, run_id } = await openStopping()
    await campaign.report('0001', { status: 'failed', run_id, failure_kind })
    expect(await first(campaign)).toMatchObject({ status: 'failed', failure_kind, failures: 1 })
  })

  test('counts a completion as it is', async () => {
    const { campaign, run_id } = await openStopping()
    await campaign.report('0001', { status: 'completed', run_id })
    expect(await first(campaign)).toMatchObject({ status: 'completed', attempts: [] })
  })

  test('counts the runs that are not told, since they have no lease', async () => {
    const campaign = await openCampaign(4)
    await claim(campaign)
    for (const exp_id of ['0002', '0003']) await campaign.report(exp_id, { status: 'running' })
    const stop = (query: string) =>
      campaign.call('PATCH', `${campaign.path}${query}`, { body: { settings: { paused: true } } })
    expect((await stop('')).headers['runs-without-lease']).toBeUndefined()
    expect((await stop('?cancel_running=true')).headers['runs-without-lease']).toBe('2')
  })

  test('is only for a campaign that is paused, and ends with the pause', async () => {
    const { campaign } = await openStopping()
    const patch = (query: string, paused: boolean) =>
      campaign.call('PATCH', `${campaign.path}${query}`, { body: { settings: { paused } } })
    expect((await campaign.manifest()).cancel_running).toBe(true)
    expectProblem(await patch('?cancel_running=true', false), 400, 'invalid')
    await patch('?cancel_running=false', true)
    expect((await campaign.manifest()).cancel_running).toBe(false)
    await patch('?cancel_running=true', true)
    await patch('', false)
    expect((await campaign.manifest()).cancel_running).toBe(false)
  })
})
