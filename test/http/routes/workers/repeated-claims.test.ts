import { describe, expect, test } from 'vitest'
import { openCampaign, type TestCampaign } from '../../../support/campaigns/campaign.js'
import { claim, claimedIds, type ClaimReply, heartbeat } from '../../../support/campaigns/claims.js'
import { expectHeld } from '../../../support/http/held-calls.js'
import { expectProblem } from '../../../support/http/problems.js'
import { readManifest } from '../../../support/store/files.js'

const CALL = { worker: 'gpu-1', limit: 2, claim_id: 'c1' }

async function openClaimed(): Promise<TestCampaign & { readonly first: ClaimReply }> {
  const campaign = await openCampaign(6, { settings: { max_retries: 9 } })
  return { ...campaign, first: (await claim(campaign, CALL)).json<ClaimReply>() }
}

async function expectUsed(campaign: TestCampaign, body: object): Promise<void> {
  const before = readManifest(campaign.dataDir, 'sweep')
  expectProblem(await claim(campaign, body), 409, 'claim-id-used')
  expect(readManifest(campaign.dataDir, 'sweep')).toBe(before)
}

describe('a claim whose response was lost', () => {
  test('gets the same claims again, and nothing is started', async () => {
    const campaign = await openClaimed()
    const before = readManifest(campaign.dataDir, 'sweep')
    expect((await claim(campaign, CALL)).json()).toEqual(campaign.first)
    expect((await claim(campaign, { ...CALL, wait_seconds: 30 })).json()).toEqual(campaign.first)
    expect(readManifest(campaign.dataDir, 'sweep')).toBe(before)
  })

  test('gets them also while the campaign is paused', async () => {
    const campaign = await openClaimed()
    await campaign.call('PATCH', campaign.path, { body: { settings: { paused: true } } })
    expect(await claimedIds(campaign, CALL)).toEqual(['0001', '0002'])
  })

  test('renews no lease by it', async () => {
    const campaign = await openClaimed()
    await campaign.elapse(40)
    const [again] = (await claim(campaign, CALL)).json<ClaimReply>().claims
    expect(again).toMatchObject({ lease_expires_at: '2026-03-01T12:00:20.000Z', lease_seconds: 60 })
    // Of what is left, so that the first heartbeat is in time.
    expect(again?.heartbeat_seconds).toBe(6.667)
    await campaign.elapse(30)
    expect((await campaign.manifest()).experiments[0]).toMatchObject({ status: 'failed', failure_kind: 'lost' })
  })

  test('gets one answer, however many repeats arrive at once', async () => {
    const campaign = await openCampaign(9)
    const all = await Promise.all(Array.from({ length: 5 }, () => claimedIds(campaign, CALL)))
    expect(new Set(all.map((ids) => ids.join()))).toEqual(new Set(['0001,0002']))
  })

  test('gets the same after a restart of the service, and not when its time is over then', async () => {
    const campaign = await openClaimed()
    await campaign.restart()
    expect(await claimedIds(campaign, CALL)).toEqual(['0001', '0002'])
    await campaign.restart()
    campaign.setTime('2026-03-01T12:01:01.000Z')
    await expectUsed(campaign, CALL)
  })

  test('gets them while it waits beside its repeat', async () => {
    const campaign = await openCampaign(1, { settings: { paused: true } })
    const both = [1, 2].map(() => claimedIds(campaign, { ...CALL, wait_seconds: 30 }))
    await expectHeld(Promise.race(both))
    await campaign.call('PATCH', campaign.path, { body: { settings: { paused: false } } })
    expect(await Promise.all(both)).toEqual([['0001'], ['0001']])
  })

  test('uses nothing up when it got nothing', async () => {
    const campaign = await openCampaign(1, { settings: { paused: true } })
    expect(await claimedIds(campaign, CALL)).toEqual([])
    await campaign.call('PATCH', campaign.path, { body: { settings: { paused: false } } })
    expect(await claimedIds(campaign, CALL)).toEqual(['0001'])
  })
})

describe('a claim_id that was used', () => {
  test.each([
    ['another worker', { worker: 'gpu-2' }],
    ['another limit', { limit: 3 }],
    ['another filter', { backend: 'vllm' }],
  ])('is refused to %s', async (_, given) => {
    await expectUsed(await openClaimed(), { ...CALL, ...given })
  })

  test('is refused to another worker also after a restart', async () => {
    const campaign = await openClaimed()
    await campaign.restart()
    await expectUsed(campaign, { ...CALL, worker: 'gpu-2' })
  })

  test('is refused once a heartbeat of one of its runs was heard', async () => {
    const campaign = await openClaimed()
    await heartbeat(campaign, '0002', { run_id: campaign.first.claims[1]?.run_id })
    await expectUsed(campaign, CALL)
  })

  test('is refused once one of its runs was reported, so that a container that starts again gets no poison', async () => {
    const campaign = await openClaimed()
    await campaign.report('0001', { status: 'failed', run_id: campaign.first.claims[0]?.run_id })
    await expectUsed(campaign, CALL)
  })

  test('is refused once the lease has ended', async () => {
    const campaign = await openClaimed()
    await campaign.elapse(61)
    await expectUsed(campaign, CALL)
  })

  test('is free again in a campaign that was made anew', async () => {
    const campaign = await openClaimed()
    const manifest = readManifest(campaign.dataDir, 'sweep')
    await campaign.call('DELETE', `${campaign.path}?force=true`)
    const draft = JSON.parse(manifest) as { experiments: object[] }
    const experiments = draft.experiments.map((one) => ({ ...one, status: 'pending', attempt: 0, retry_count: 0 }))
    await campaign.call('POST', '/v1/campaigns', { body: { ...draft, experiments } })
    expect(await claimedIds(campaign, CALL)).toEqual(['0001', '0002'])
  })
})
