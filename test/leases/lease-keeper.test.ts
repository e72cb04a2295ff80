import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { claim } from '#campaignd/domain/operations/claim/claim.js'
import type { ExpiredLeases } from '#campaignd/domain/operations/expire-leases.js'
import { updateExperiment } from '#campaignd/domain/operations/report.js'
import { LeaseKeeper } from '#campaignd/leases/lease-keeper.js'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import { newManifest, NOW } from '../support/campaigns/decisions.js'
import { openTestStore } from '../support/store/test-store.js'

interface Kept {
  readonly leases: LeaseKeeper
  readonly store: CampaignStore
  readonly dataDir: string
  readonly expired: readonly (readonly string[])[]
  readonly failures: readonly unknown[]
  /** Lets so many seconds go by, and sweeps. */
  elapse(seconds: number): Promise<void>
}

/** A campaign of two experiments, of which the first is claimed for ten seconds. */
async function open(): Promise<Kept> {
  let monotonic = 0
  const { store, dataDir } = await openTestStore({ monotonic: () => monotonic })
  await store.create(newManifest('sweep', 2))
  const expired: (readonly string[])[] = []
  const failures: unknown[] = []
  const leases = new LeaseKeeper({
    store,
    wall: () => Date.parse(NOW),
    onExpired: (_, expIds) => expired.push(expIds),
    onError: (_, error) => failures.push(error),
  })
  onTestFinished(() => leases.close())
  await store.update('sweep', (campaign) => claim(campaign, { worker: 'w1', lease_seconds: 10 }, ORIGIN, null))
  const elapse = async (seconds: number) => {
    for (const end = monotonic + seconds * 1000; monotonic < end;) {
      monotonic += 500
      await leases.sweep()
    }
  }
  return { leases, store, dataDir, expired, failures, elapse }
}

const ORIGIN = { now: NOW, actor: null }
const BEAT = { attempt: 1, worker: 'w1' }

test('an expired lease that the store could not write is written once it can', async () => {
  const { leases, store, dataDir, expired, failures, elapse } = await open()
  const campaigns = join(dataDir, 'campaigns')
  renameSync(campaigns, `${campaigns}-away`)
  await elapse(12)
  expect(failures).not.toEqual([])
  expect(expired).toEqual([])
  expect((await store.read('sweep')).campaign.get('0001')?.status).toBe('running')
  renameSync(`${campaigns}-away`, campaigns)
  await elapse(0.5)
  expect(expired).toEqual([['0001']])
  expect((await store.read('sweep')).campaign.get('0001')).toMatchObject({ status: 'failed', failure_kind: 'lost' })
  await expect(leases.heartbeat('sweep', '0001', BEAT)).rejects.toMatchObject({ code: 'no-lease' })
})

test('a heartbeat that comes while the store fails keeps the lease alive', async () => {
  const { leases, dataDir, expired, elapse } = await open()
  const campaigns = join(dataDir, 'campaigns')
  renameSync(campaigns, `${campaigns}-away`)
  await elapse(12)
  await leases.heartbeat('sweep', '0001', BEAT)
  renameSync(`${campaigns}-away`, campaigns)
  await elapse(9)
  expect(expired).toEqual([])
})

test('an experiment that ended before its lease expired stays as it ended', async () => {
  const { store, expired, elapse } = await open()
  await elapse(9)
  await store.update('sweep', (campaign) => {
    const completed = { ...campaign.experiments.at(0), status: 'completed', lease: null, revision: 3 } as const
    return { changes: { at: NOW, changed: [completed] }, result: null }
  })
  await elapse(3)
  expect(expired).toEqual([])
  expect((await store.read('sweep')).campaign.header.revision).toBe(3)
})

test('there are as many leases as experiments that run under one', async () => {
  const { store, elapse } = await open()
  const claimed = (limit: number) =>
    store.update('sweep', (campaign) => claim(campaign, { worker: 'w2', limit, lease_seconds: 90 }, ORIGIN, null))
  expect(store.leases.live).toBe(1)
  await claimed(5)
  expect(store.leases.live).toBe(2)
  await elapse(11)
  expect(store.leases.live).toBe(1)
  await store.delete('sweep', { permit: () => undefined, force: true })
  expect(store.leases.live).toBe(0)
})

test('a lease that is put back is as old as it was, with what its worker told; none is, of an experiment that has ended meanwhile', async () => {
  let monotonic = 0
  const { store } = await openTestStore({ monotonic: () => monotonic })
  await store.create(newManifest('sweep', 2))
  const request = { worker: 'w1', lease_seconds: 10, limit: 2 }
  await store.update('sweep', (campaign) => claim(campaign, request, ORIGIN, null))
  const latest = { progress: 0.4, note: 'epoch 2' }
  await store.leases.renew([{ campaign_id: 'sweep', exp_id: '0002', attempt: 1, ...latest }])
  const takeExpired = async () => {
    const taken: ExpiredLeases[] = []
    await store.leases.takeExpired((ofCampaign) => taken.push(ofCampaign))
    return taken
  }
  let [expired] = await takeExpired()
  for (; expired === undefined; monotonic += 500) [expired] = await takeExpired()
  expect(await takeExpired()).toEqual([])
  expect((await store.leases.look('sweep', ['0001', '0002'])).size).toBe(0)
  const done = { status: 'completed', attempt: 1 } as const
  await store.update('sweep', (campaign) => updateExperiment(campaign, '0001', done, { ...ORIGIN, timezone: 'UTC' }))
  await store.leases.putBack(expired)
  const leases = await store.leases.look('sweep', ['0001', '0002'])
  expect([...leases.keys()]).toEqual(['0002'])
  expect(leases.get('0002')).toMatchObject({ attempt: 1, idle_seconds: 10.5, latest })
})

test('leases of a campaign that was deleted end nothing of the one that was made again with its id', async () => {
  const { store, expired, elapse } = await open()
  afterTaking(store, async () => {
    await store.delete('sweep', { permit: () => undefined, force: true })
    await store.create({ ...newManifest('sweep', 2), uid: '00c0ffee00c0ffee' })
    await store.update('sweep', (campaign) => claim(campaign, { worker: 'w2', lease_seconds: 90 }, ORIGIN, null))
  })
  await elapse(12)
  expect(expired).toEqual([])
  expect((await store.read('sweep')).campaign.get('0001')).toMatchObject({ status: 'running', worker: 'w2' })
})

test('an attempt that is reported on after its lease was taken goes on under a new one', async () => {
  const { leases, store, expired, elapse } = await open()
  const report = { status: 'running', attempt: 1, result_path: 'results/partial' } as const
  afterTaking(store, async () => {
    await store.update('sweep', (campaign) =>
      updateExperiment(campaign, '0001', report, { ...ORIGIN, timezone: 'UTC' }),
    )
    await leases.heartbeat('sweep', '0001', BEAT)
  })
  await elapse(12)
  expect(expired).toEqual([])
  expect((await store.read('sweep')).campaign.get('0001')).toMatchObject({ status: 'running', worker: 'w1' })
  await elapse(12)
  expect(expired).toEqual([['0001']])
})

test('a sweep resolves when what another one took before it is ended too', async () => {
  const { leases, store, elapse } = await open()
  await elapse(9)
  let letGo = (): void => undefined
  const gone = new Promise<void>((resolve) => (letGo = resolve))
  let isTaken = (): void => undefined
  const taken = new Promise<void>((resolve) => (isTaken = resolve))
  afterTaking(store, () => {
    isTaken()
    return gone
  })
  const first = elapse(3)
  await taken
  const second = leases.sweep()
  letGo()
  await second
  const status = await store.update('sweep', (campaign) => ({ changes: null, result: campaign.get('0001')?.status }))
  expect(status).toBe('failed')
  await first
})

test('of many leases, which take several turns, those that ran out are told once, campaign by campaign, and can be put back', async () => {
  let monotonic = 0
  const { store } = await openTestStore({ monotonic: () => monotonic })
  const uids = { a: '00c0ffee00c0ffe1', b: '00c0ffee00c0ffe2' }
  for (const [id, uid] of Object.entries(uids)) await store.create({ ...newManifest(id, 1000), uid })
  const claimed = (id: string, lease_seconds: number) =>
    store.update(id, (campaign) => claim(campaign, { worker: 'w1', limit: 100, lease_seconds }, ORIGIN, null))
  for (const id of Object.keys(uids)) for (let times = 0; times < 10; times += 1) await claimed(id, times < 4 ? 10 : 90)
  const ended: ExpiredLeases[] = []
  const take = () => store.leases.takeExpired((expired) => ended.push(expired))
  for (; ended.length === 0; monotonic += 500) await take()
  expect(
    ended.map(({ campaign_id, uid, leases }) => [campaign_id, uid, new Set(leases.map(({ exp_id }) => exp_id)).size]),
  ).toEqual([
    ['a', uids.a, 400],
    ['b', uids.b, 400],
  ])
  expect(store.leases.live).toBe(1200)
  await take()
  expect(ended).toHaveLength(2)
  for (const expired of ended) await store.leases.putBack(structuredClone(expired))
  expect(store.leases.live).toBe(2000)
  await take()
  expect(ended).toHaveLength(4)
})

/** Does something the first time that leases are taken, before those who asked for them can go on. */
function afterTaking({ leases: book }: CampaignStore, then: () => Promise<unknown>): void {
  const takeExpired = book.takeExpired.bind(book)
  book.takeExpired = async (onTaken) => {
    const taken: ExpiredLeases[] = []
    await takeExpired((expired) => taken.push(expired))
    if (taken.length > 0) {
      book.takeExpired = takeExpired
      await then()
    }
    for (const expired of taken) onTaken(expired)
  }
}
