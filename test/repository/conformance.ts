import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Campaign, Decide, Decision } from '#campaignd/domain/campaign/campaign.js'
import { updateExperiment } from '#campaignd/domain/operations/report.js'
import type { CampaignQuery } from '#campaignd/domain/views/campaign-list.js'
import type {
  CampaignChange,
  CampaignStore,
  EncodedManifest,
  OverviewChange,
} from '#campaignd/repository/campaign-store.js'
import {
  append,
  decided,
  listAll,
  newManifest,
  refuse,
  relabel,
  repeat,
  report,
  UNICODE,
} from '../support/campaigns/decisions.js'
import { experimentDraft } from '../support/campaigns/drafts.js'
import { TIME_LIMIT } from '../support/time-limit.js'

/** A store on a store of its own, which goes with the test. */
export interface OpenStore {
  readonly store: CampaignStore
  /** Closes the store and opens the same store again. */
  reopen(): Promise<CampaignStore>
  /** Closes it for good; otherwise the end of the test does. */
  close(): Promise<void>
}

type Open = (options?: { readonly maxCampaignBytes: number }) => Promise<OpenStore>

const RUNS = 20

/** What every kind of store promises. Knows nothing of how one keeps its campaigns. */
export function describeStore(name: string, open: Open): void {
  describe(`${name}: one campaign`, () => {
    test('what is created can be read', async () => {
      const { store } = await open()
      const manifest = newManifest('sweep', 3)
      expect((await store.create(manifest)).campaign.toManifest()).toEqual(manifest)
      expect((await store.read('sweep')).campaign.toManifest()).toEqual(manifest)
    })

    test('an update is there once it is answered, and adds one revision', async () => {
      const { store } = await openSweep(open, 3)
      const revision = await store.update('sweep', report('0002', 'results/2.json'))
      expect(revision).toBe(2)
      const { campaign } = await store.read('sweep')
      expect(campaign.header.revision).toBe(2)
      expect(campaign.get('0002')).toMatchObject({ result_path: 'results/2.json', revision: 2 })
      expect(campaign.get('0001')).toMatchObject({ result_path: null, revision: 1 })
    })

    test('a deleted campaign is gone, and its id is free', async () => {
      const { store } = await openSweep(open, 3)
      await store.delete('sweep', { permit: () => undefined, force: false })
      await expect(store.read('sweep')).rejects.toMatchObject({ code: 'campaign-not-found' })
      await store.create(newManifest('sweep', 2))
      expect((await store.read('sweep')).campaign.experiments).toHaveLength(2)
    })

    test('an id is given once', async () => {
      const { store } = await openSweep(open, 3)
      await expect(store.create(newManifest('sweep', 2))).rejects.toMatchObject({ code: 'campaign-exists' })
      expect((await store.read('sweep')).campaign.experiments).toHaveLength(3)
    })

    test('every call on a missing campaign is refused as not found', async () => {
      const { store } = await open()
      const permit = () => undefined
      const calls = [
        store.read('sweep'),
        store.update('sweep', repeat),
        store.delete('sweep', { permit, force: false }),
        store.delete('sweep', { permit, force: true }),
      ]
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'campaign-not-found' })
    })

    test('experiments that were appended can be updated, in the same commit and in a later one', async () => {
      const { store, reopen } = await openSweep(open, 63)
      await Promise.all([
        store.update('sweep', append('new-1', 'new-2', 'new-3')),
        store.update('sweep', report('new-2', 'results/new-2.json')),
        store.update('sweep', append('new-4')),
      ])
      await store.update('sweep', report('new-4', 'results/new-4.json'))
      const { campaign } = await (await reopen()).read('sweep')
      expect(campaign.header).toMatchObject({ revision: 5, total_experiments: 67 })
      expect([...campaign.experiments].slice(63).map(({ exp_id, result_path }) => [exp_id, result_path])).toEqual([
        ['new-1', null],
        ['new-2', 'results/new-2.json'],
        ['new-3', null],
        ['new-4', 'results/new-4.json'],
      ])
    })

    test('the document is the campaign, and parses', async () => {
      const { store } = await open()
      await store.create(newManifest('sweep', 70, { labels: UNICODE }))
      await Promise.all([
        store.update('sweep', report('0001', 'é')),
        store.update('sweep', report('0064', '\u2028"\\\n')),
        store.update('sweep', append('new')),
      ])
      const { campaign, encoded } = await store.read('sweep')
      expectBytesOf(campaign, encoded)
      expect(campaign.toManifest()).toEqual((await store.read('sweep')).campaign.toManifest())
    })

    test('a document that was read stays as it was while the campaign changes', async () => {
      const { store } = await openSweep(open, 3)
      const { campaign, encoded } = await store.read('sweep')
      await store.update('sweep', report('0001', 'later'))
      expectBytesOf(campaign, encoded)
      expect(campaign.get('0001')).toMatchObject({ result_path: null })
    })
  })

  describe(`${name}: the size of a campaign`, () => {
    const maxCampaignBytes = 64 * 1024

    test('one that would be too large is not created, and its id stays free', async () => {
      const { store } = await open({ maxCampaignBytes })
      await expect(store.create(newManifest('sweep', 200))).rejects.toMatchObject({ code: 'campaign-full' })
      await expect(store.read('sweep')).rejects.toMatchObject({ code: 'campaign-not-found' })
      await store.create(newManifest('sweep', 100))
      // The id is taken, whatever the size of what is to be created.
      await expect(store.create(newManifest('sweep', 200))).rejects.toMatchObject({ code: 'campaign-exists' })
    })

    test('no report is refused, errors are cut, and the same is there after it is opened again', async () => {
      const { store, reopen } = await open({ maxCampaignBytes })
      await store.create(newManifest('sweep', 100))
      const ids = [...(await store.read('sweep')).campaign.experiments].map(({ exp_id }) => exp_id)
      for (const status of ['failed', 'running', 'failed'] as const) {
        const reports = ids.map((id) => {
          const body = status === 'failed' ? { status, error: `${id} ${'x'.repeat(8000)}` } : { status }
          return store.update('sweep', (campaign, now) =>
            updateExperiment(campaign, id, body, { now, timezone: 'UTC', actor: null }),
          )
        })
        for (const { exp_id, revision } of await Promise.all(reports)) {
          expect((await store.read('sweep')).campaign.get(exp_id)?.revision).toBeGreaterThanOrEqual(revision)
        }
      }
      const { campaign, encoded } = await store.read('sweep')
      expect(campaign.bytes).toBeLessThanOrEqual(maxCampaignBytes)
      expectBytesOf(campaign, encoded)
      const reopened = (await (await reopen()).read('sweep')).campaign
      expect([reopened.bytes, reopened.toManifest()]).toEqual([campaign.bytes, campaign.toManifest()])
    })
  })

  describe(`${name}: the list`, () => {
    const query: CampaignQuery = { labels: [], sort: 'campaign_name', limit: 2 }

    test('the list pages through all campaigns, each once, and follows their changes', async () => {
      const { store } = await open()
      for (const id of ['e', 'c', 'a', 'd', 'b']) {
        await store.create(newManifest(id, 1, { campaign_name: `name ${id}` }))
      }
      expect(await listAll(store, query)).toEqual(['a', 'b', 'c', 'd', 'e'])
      await store.delete('c', { permit: () => undefined, force: false })
      await store.update('a', relabel({ team: 'one' }))
      expect(await listAll(store, query)).toEqual(['a', 'b', 'd', 'e'])
      expect(await listAll(store, { ...query, labels: [['team', 'one']] })).toEqual(['a'])
    })

    test('the overviews agree with the campaigns', async () => {
      const { store } = await open()
      for (const id of ['a', 'c', 'd']) await store.create(newManifest(id, 2))
      const experiments = [experimentDraft('0001', { status: 'completed' }), experimentDraft('0002')]
      await store.create(newManifest('b', 2, { experiments }))
      await store.delete('c', { permit: () => undefined, force: false })
      const { campaigns } = await store.list({ ...query, limit: 10 })
      const short = campaigns.map(({ campaign_id, updated_at, ...one }) => {
        const counts = 'progress' in one ? one.progress.counts : null
        return { campaign_id, updated_at, state: one.state, counts }
      })
      expect(short.map(({ campaign_id, state }) => [campaign_id, state])).toEqual([
        ['a', 'pending'],
        ['b', 'idle'],
        ['d', 'pending'],
      ])
      const overviews = (await store.overviews()).map(({ campaign_id, updated_at, state, counts }) => {
        return { campaign_id, updated_at, state, counts }
      })
      expect(overviews.sort((a, b) => (a.campaign_id < b.campaign_id ? -1 : 1))).toEqual(short)
    })
  })

  describe(`${name}: many at once`, () => {
    test('of many creations of one id exactly one succeeds', async () => {
      const { store, reopen } = await open()
      const sizes = Array.from({ length: 20 }, (_, index) => index + 1)
      const outcomes = await Promise.allSettled(sizes.map((size) => store.create(newManifest('sweep', size))))
      const winners = sizes.filter((_, index) => outcomes[index]?.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'campaign-exists' })
      }
      expect((await (await reopen()).read('sweep')).campaign.experiments).toHaveLength(winners[0] ?? 0)
    })

    test('concurrent updates take consecutive revisions, and none is lost', async () => {
      const { store } = await openSweep(open, 200)
      const ids = [...(await store.read('sweep')).campaign.experiments].map(({ exp_id }) => exp_id)
      const revisions = await Promise.all(ids.map((id) => store.update('sweep', report(id, `of ${id}`))))
      expect(revisions.toSorted((a, b) => a - b)).toEqual(ids.map((_, index) => index + 2))
      const { campaign } = await store.read('sweep')
      expect([...campaign.experiments].map(({ result_path }) => result_path)).toEqual(ids.map((id) => `of ${id}`))
    })

    test('a decision sees all earlier ones: a counter with many writers misses no step', async () => {
      const { store } = await openSweep(open, 1)
      const add = (campaign: Campaign, at: string): Decision<number> => {
        const count = Number(campaign.header.labels['count'] ?? 0) + 1
        return decided(relabel({ count: String(count) }, count), campaign, at)
      }
      const counts: number[] = []
      for (let round = 0; round < 5; round += 1) {
        counts.push(...(await Promise.all(Array.from({ length: 20 }, () => store.update('sweep', add)))))
      }
      expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    })

    test('campaigns do not wait for or disturb each other', async () => {
      const { store } = await open()
      const ids = Array.from({ length: 10 }, (_, index) => `sweep-${index}`)
      await Promise.all(ids.map((id) => store.create(newManifest(id, 2))))
      await Promise.all(
        ids.flatMap((id) => [
          store.update(id, report('0001', `of ${id}`)),
          store.update(id, report('0002', `of ${id}`)),
        ]),
      )
      for (const id of ids) {
        const { campaign } = await store.read(id)
        expect(campaign.header.revision).toBe(3)
        expect([...campaign.experiments].map(({ result_path }) => result_path)).toEqual([`of ${id}`, `of ${id}`])
      }
    })

    test('reads see only what is committed, and never an older state than before', async () => {
      const { store } = await openSweep(open, 1)
      const committed = new Set([1])
      store.watch('sweep', (event) => {
        if (event.type === 'changed') committed.add(event.campaign.header.revision)
      })
      let newest = 0
      let writing = true
      const read = async () => {
        while (writing) {
          const { revision } = (await store.read('sweep')).campaign.header
          expect(committed).toContain(revision)
          expect(revision).toBeGreaterThanOrEqual(newest)
          newest = revision
          await new Promise(setImmediate)
        }
      }
      const reading = read()
      for (let round = 0; round < 20; round += 1) {
        const paths = [1, 2, 3].map((step) => `round ${round} step ${step}`)
        await Promise.all(paths.map((path) => store.update('sweep', report('0001', path))))
        expect((await store.read('sweep')).campaign.get('0001')).toMatchObject({ result_path: `round ${round} step 3` })
      }
      writing = false
      await reading
    })
  })

  describe(`${name}: refusals and repetitions`, () => {
    const unknownExperiment: Decide<number> = ({ experiments, header }) => {
      const changed = [{ ...experiments.at(0), exp_id: 'unknown' }]
      return { changes: { at: header.updated_at, changed }, result: 0 }
    }

    test.each([
      { what: 'a decision that throws', decide: refuse('not so'), reason: 'not so' },
      { what: 'a change that cannot be made', decide: unknownExperiment, reason: 'unknown' },
    ])('$what fails alone, with its reason', async ({ decide, reason }) => {
      const { store } = await openSweep(open, 3)
      const outcomes = await Promise.allSettled([
        store.update('sweep', report('0001', 'kept')),
        store.update('sweep', decide),
        store.update('sweep', report('0002', 'kept too')),
      ])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(outcomes[1]).toMatchObject({ reason: { message: expect.stringContaining(reason) as unknown } })
      expect((await store.read('sweep')).campaign.header.revision).toBe(3)
    })

    test('a call that changes nothing is answered with the state that it was decided on, whatever is committed with it', async () => {
      const { store } = await openSweep(open, 3)
      const revisions = await Promise.all([
        store.update('sweep', repeat),
        store.update('sweep', report('0001', 'first')),
        store.update('sweep', repeat),
        store.update('sweep', report('0002', 'second')),
        store.update('sweep', repeat),
      ])
      expect(revisions).toEqual([1, 2, 2, 3, 3])
    })

    test('a decision that changes nothing adds no revision and is no event', async () => {
      const { store } = await openSweep(open, 3)
      const events: CampaignChange[] = []
      store.watch('sweep', (event) => events.push(event))
      expect(await store.update('sweep', repeat)).toBe(1)
      expect(events).toEqual([])
      const [changed, repeated] = await Promise.all([
        store.update('sweep', report('0001', 'new')),
        store.update('sweep', report('0001', 'new')),
      ])
      expect([changed, repeated]).toEqual([2, 2])
      expect((await store.read('sweep')).campaign.header.revision).toBe(2)
      expect(events).toHaveLength(1)
    })

    test('a deletion that is not permitted is passed on and deletes nothing', async () => {
      const { store, reopen } = await openSweep(open, 3)
      const permit = ({ header }: Campaign) => {
        if (header.revision === 1) throw new Error('not at revision 1')
      }
      await expect(store.delete('sweep', { permit, force: false })).rejects.toThrow('not at revision 1')
      await expect(store.delete('sweep', { permit, force: true })).rejects.toThrow('not at revision 1')
      expect((await store.read('sweep')).campaign.header.revision).toBe(1)
      await store.update('sweep', report('0001', 'new'))
      await store.delete('sweep', { permit, force: false })
      await expect((await reopen()).read('sweep')).rejects.toMatchObject({ code: 'campaign-not-found' })
    })

    test('updates beside a deletion either come before it or find nothing', async () => {
      const { store, reopen } = await openSweep(open, 30)
      let decided = 0
      const permit = ({ header }: Campaign) => {
        decided = header.revision
      }
      const ids = [...(await store.read('sweep')).campaign.experiments].map(({ exp_id }) => exp_id)
      const updates = ids.map((id) => store.update('sweep', report(id, 'new')))
      const deletion = store.delete('sweep', { permit, force: false })
      const late = ids.map((id) => store.update('sweep', report(id, 'newer')))
      const outcomes = await Promise.allSettled([...updates, ...late])
      await deletion
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') expect(outcome.value).toBeLessThanOrEqual(decided)
        else expect(outcome.reason).toMatchObject({ code: 'campaign-not-found' })
      }
      await expect((await reopen()).read('sweep')).rejects.toMatchObject({ code: 'campaign-not-found' })
    })

    test('of two deletions one succeeds', async () => {
      const { store } = await openSweep(open, 1)
      const options = { permit: () => undefined, force: false }
      const outcomes = await Promise.allSettled([store.delete('sweep', options), store.delete('sweep', options)])
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    })
  })

  describe(`${name}: events`, () => {
    test('created, changed and deleted come in order, each change linked to the one before', async () => {
      const { store } = await open()
      const events: CampaignChange[] = []
      store.watch('sweep', (event) => events.push(event))
      await store.create(newManifest('sweep', 50))
      const ids = [...(await store.read('sweep')).campaign.experiments].map(({ exp_id }) => exp_id)
      for (let round = 0; round < 3; round += 1) {
        await Promise.all(ids.map((id) => store.update('sweep', report(id, `round ${round}`))))
      }
      await store.delete('sweep', { permit: () => undefined, force: false })
      expect(events.at(0)).toMatchObject({ type: 'created', campaign: { header: { revision: 1 } } })
      expect(events.at(-1)).toEqual({ type: 'deleted', campaign_id: 'sweep' })
      let [before] = events.flatMap((event) => ('campaign' in event ? [event.campaign] : []))
      for (const event of events.slice(1, -1)) {
        if (event.type !== 'changed' || before === undefined) throw new Error(`unexpected ${event.type}`)
        expect(event.previous_revision).toBe(before.header.revision)
        expect(event.campaign.header.revision).toBeGreaterThan(before.header.revision)
        const ids = event.experiments.map(({ exp_id }) => exp_id)
        expect(ids.toSorted()).toEqual(changedBetween(before, event.campaign))
        expect(event.experiments).toEqual(ids.map((id) => event.campaign.get(id)))
        before = event.campaign
      }
      expect(before?.header.revision).toBe(151)
    })

    test('an event has its experiments in the order of their last change', async () => {
      const { store } = await openSweep(open, 3)
      const events: CampaignChange[] = []
      store.watch('sweep', (event) => events.push(event))
      await Promise.all([
        store.update('sweep', report('0001', 'first')),
        store.update('sweep', report('0002', 'second')),
        store.update('sweep', append('new')),
        store.update('sweep', report('0001', 'third')),
      ])
      for (const event of events) {
        if (event.type !== 'changed') throw new Error(`unexpected ${event.type}`)
        const revisions = event.experiments.map(({ revision }) => revision)
        expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
      }
    })

    test('an event comes no earlier than its state can be read', async () => {
      const { store } = await open()
      const reads: Promise<number>[] = []
      const revisions: number[] = []
      store.watch('sweep', (event) => {
        if (!('campaign' in event)) return
        revisions.push(event.campaign.header.revision)
        reads.push(store.read('sweep').then(({ campaign }) => campaign.header.revision))
      })
      await store.create(newManifest('sweep', 1))
      for (let round = 0; round < 5; round += 1) await store.update('sweep', report('0001', `round ${round}`))
      expect(await Promise.all(reads)).toEqual(revisions)
    })

    test('a listener of all campaigns gets the overview of each, with its progress at that time', async () => {
      const { store } = await open()
      const changes: OverviewChange[] = []
      store.watchAll((change) => changes.push(change))
      await store.create(newManifest('sweep', 2))
      await store.create(newManifest('other', 1))
      await store.update('sweep', report('0001', 'new'))
      await store.delete('other', { permit: () => undefined, force: false })
      const heard = changes.map((change) =>
        'overview' in change
          ? [change.type, change.overview.campaign_id, change.overview.revision, change.overview.progress.total]
          : [change.type, change.campaign_id],
      )
      expect(heard).toEqual([
        ['created', 'sweep', 1, 2],
        ['created', 'other', 1, 1],
        ['changed', 'sweep', 2, 2],
        ['deleted', 'other'],
      ])
    })

    test('a listener that unsubscribed is called no more, the others are', async () => {
      const { store } = await open()
      const heard: string[] = []
      const unsubscribe = store.watch('sweep', () => heard.push('first'))
      store.watch('sweep', () => heard.push('second'))
      await store.create(newManifest('sweep', 1))
      unsubscribe()
      await store.update('sweep', report('0001', 'new'))
      expect(heard).toEqual(['first', 'second', 'second'])
    })
  })

  describe(`${name}: close and reopen`, () => {
    test('close finishes accepted calls and refuses later ones', async () => {
      const { store, reopen } = await openSweep(open, 40)
      const ids = [...(await store.read('sweep')).campaign.experiments].map(({ exp_id }) => exp_id)
      const updates = ids.map((id) => store.update('sweep', report(id, 'taken')))
      // A creation that was not begun may be refused, but it must not come to be all the same.
      const creation = store.create(newManifest('another', 1)).then(
        () => true,
        (error: unknown) => codeOf(error) !== 'store-unavailable',
      )
      const reopening = reopen()
      expect((await store.readiness()).ready).toBe(false)
      await expect(store.update('sweep', report('0001', 'late'))).rejects.toMatchObject({
        code: 'store-unavailable',
      })
      await Promise.all(updates)
      const reopened = await reopening
      const { campaign } = await reopened.read('sweep')
      expect([...campaign.experiments].map(({ result_path }) => result_path)).toEqual(ids.map(() => 'taken'))
      expect(await listAll(reopened, { labels: [], sort: 'campaign_name', limit: 10 })).toHaveLength(
        (await creation) ? 2 : 1,
      )
    })

    test('every call is resolved or rejected by the close', async () => {
      const { store, reopen } = await openSweep(open, 1)
      const options = { permit: () => undefined, force: false }
      const calls = [
        store.create(newManifest('another', 1)),
        store.update('sweep', report('0001', 'new')),
        store.update('unknown', repeat),
        store.delete('sweep', options),
        store.delete('unknown', options),
      ]
      const settled = Promise.allSettled(calls).then(() => 'settled')
      await reopen()
      expect(
        await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, TIME_LIMIT, 'hangs').unref())]),
      ).toBe('settled')
    })

    test('readiness holds until the close', async () => {
      const { store, reopen } = await open()
      expect(await store.readiness()).toEqual({ ready: true })
      expect(await (await reopen()).readiness()).toEqual({ ready: true })
      expect((await store.readiness()).ready).toBe(false)
    })

    test('a campaign of 1000 experiments is the same after random updates and a reopening', async () => {
      const { store, reopen } = await open()
      await store.create(newManifest('sweep', 1000, { labels: UNICODE }))
      const [updates = []] = fc.sample(
        fc.array(fc.tuple(fc.nat(999), fc.string({ unit: 'grapheme', maxLength: 200 })), {
          minLength: 600,
          maxLength: 600,
        }),
        { numRuns: 1, seed: 27 },
      )
      const ids = [...(await store.read('sweep')).campaign.experiments].map(({ exp_id }) => exp_id)
      for (let at = 0; at < updates.length; at += 60) {
        const together = updates.slice(at, at + 60)
        await Promise.all(together.map(([index, path]) => store.update('sweep', report(ids[index] ?? '', path))))
      }
      const before = (await store.read('sweep')).campaign.toManifest()
      const reopened = await reopen()
      expect((await reopened.read('sweep')).campaign.toManifest()).toEqual(before)
      for (const [index, path] of new Map(updates)) expect(before.experiments[index]?.result_path).toBe(path)
    })
  })

  describe(`${name}: against a plain model`, () => {
    test('random calls, one after the other, match a map of plain objects', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 40 }), async (calls) => {
          const opened = await open()
          let { store } = opened
          const model = new Map<string, Model>()
          for (const call of calls) {
            if (call.kind === 'reopen') store = await opened.reopen()
            else expect(await outcomeOf(carryOut(store, call))).toEqual(await outcomeOf(imitate(model, call)))
            await compare(store, model)
          }
          await compare(await opened.reopen(), model)
          await opened.close()
        }),
        { numRuns: RUNS },
      )
    })

    test('random concurrent updates match the same updates in the order of their revisions', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(anyUpdate, { minLength: 1, maxLength: 8 }), { maxLength: 8 }),
          async (groups) => {
            const store = await open()
            await store.store.create(newManifest('a', 5))
            const model: Model = {
              revision: 1,
              labels: {},
              paths: new Map(EXP_IDS.slice(0, 5).map((id) => [id, null])),
            }
            for (const group of groups) {
              const decided = await Promise.all(
                group.map(async (call) => {
                  let on = 0
                  const outcome = await outcomeOf(
                    store.store.update('a', (campaign, at) => {
                      on = campaign.header.revision
                      return decide(call)(campaign, at)
                    }),
                  )
                  return { call, on, outcome }
                }),
              )
              // What changed nothing was decided before the change that was decided on the same revision.
              const order = decided.toSorted((a, b) => a.on - b.on || Number(changes(a)) - Number(changes(b)))
              for (const { call, on, outcome } of order) {
                expect(on).toBe(model.revision)
                expect(outcome).toEqual(await outcomeOf(Promise.resolve().then(() => changeModel(model, call))))
              }
              await compare(store.store, new Map([['a', model]]))
            }
            await compare(await store.reopen(), new Map([['a', model]]))
            await store.close()
          },
        ),
        { numRuns: RUNS },
      )
    })
  })
}

/** A store with the campaign `sweep` in it. */
async function openSweep(open: Open, experiments: number): Promise<OpenStore> {
  const opened = await open()
  await opened.store.create(newManifest('sweep', experiments))
  return opened
}

function changes({ on, outcome }: { readonly on: number; readonly outcome: Outcome }): boolean {
  return 'value' in outcome && outcome.value !== on
}

function changedBetween(previous: Campaign, campaign: Campaign): string[] {
  return [...campaign.experiments]
    .filter((experiment) => previous.get(experiment.exp_id) !== experiment)
    .map(({ exp_id }) => exp_id)
    .toSorted()
}

/** As much of a campaign as the calls below can change. */
interface Model {
  revision: number
  labels: Record<string, string>
  paths: Map<string, string | null>
}

type UpdateCall =
  | { readonly kind: 'report'; readonly expId: string; readonly path: string }
  | { readonly kind: 'append'; readonly expId: string }
  | { readonly kind: 'relabel'; readonly labels: Record<string, string> }
  | { readonly kind: 'refuse' }

type RepositoryCall =
  | { readonly kind: 'create'; readonly id: string; readonly experiments: number }
  | { readonly kind: 'delete'; readonly id: string; readonly permitted: boolean }
  | { readonly kind: 'update'; readonly id: string; readonly call: UpdateCall }

const EXP_IDS = ['0001', '0002', '0003', '0004', '0005', 'New@1.b:c-d+e=', 'new-2']

const anyText = fc.string({ unit: 'grapheme', maxLength: 20 })
const anyUpdate: fc.Arbitrary<UpdateCall> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('report'), expId: fc.constantFrom(...EXP_IDS), path: anyText }),
  },
  fc.record({ kind: fc.constant('append'), expId: fc.constantFrom(...EXP_IDS.slice(4)) }),
  fc.record({
    kind: fc.constant('relabel'),
    labels: fc.dictionary(anyText, anyText, { maxKeys: 3, noNullPrototype: true }),
  }),
  fc.record({ kind: fc.constant('refuse') }),
)
const anyId = fc.constantFrom('a', 'b_2-c')
const anyCall: fc.Arbitrary<RepositoryCall | { readonly kind: 'reopen' }> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('create'), id: anyId, experiments: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), id: anyId, permitted: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('update'), id: anyId, call: anyUpdate }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen') }) },
)

type Outcome = { readonly value: unknown } | { readonly error: string }

/** The code of an error that has one, else its message. */
function codeOf(error: unknown): string {
  const { code, message } = error as Error & { code?: string }
  return code ?? message
}

/** What a call came to: its value, or the code or message of its error. */
async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  return call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: codeOf(error) }),
  )
}

function decide(call: UpdateCall): Decide<number> {
  switch (call.kind) {
    case 'report':
      return report(call.expId, call.path)
    case 'append':
      return append(call.expId)
    case 'relabel':
      return relabel(call.labels)
    case 'refuse':
      return refuse('refused')
  }
}

async function carryOut(store: CampaignStore, call: RepositoryCall): Promise<unknown> {
  switch (call.kind) {
    case 'create':
      return (await store.create(newManifest(call.id, call.experiments))).campaign.header.revision
    case 'update':
      return store.update(call.id, decide(call.call))
    case 'delete':
      return store.delete(call.id, {
        force: false,
        permit: () => {
          if (!call.permitted) throw new Error('refused')
        },
      })
  }
}

async function imitate(model: Map<string, Model>, call: RepositoryCall): Promise<unknown> {
  const there = model.get(call.id)
  if (call.kind === 'create') {
    if (there !== undefined) throw new Error('campaign-exists')
    const paths = new Map(EXP_IDS.slice(0, call.experiments).map((id) => [id, null]))
    model.set(call.id, { revision: 1, labels: {}, paths })
    return 1
  }
  if (there === undefined) throw new Error('campaign-not-found')
  if (call.kind === 'update') return changeModel(there, call.call)
  if (!call.permitted) throw new Error('refused')
  model.delete(call.id)
  return undefined
}

function changeModel(model: Model, call: UpdateCall): number {
  switch (call.kind) {
    case 'report':
      if (!model.paths.has(call.expId)) throw new Error('no such experiment')
      if (model.paths.get(call.expId) === call.path) return model.revision
      model.paths.set(call.expId, call.path)
      break
    case 'append':
      if (model.paths.has(call.expId)) return model.revision
      model.paths.set(call.expId, null)
      break
    case 'relabel':
      model.labels = call.labels
      break
    case 'refuse':
      throw new Error('refused')
  }
  model.revision += 1
  return model.revision
}

/** The whole is the manifest, and each experiment has its part of it. */
function expectBytesOf(campaign: Campaign, bytes: EncodedManifest | null): void {
  if (bytes === null) return
  const manifest = campaign.toManifest()
  expect(JSON.parse(Buffer.concat([...bytes.parts]).toString())).toEqual(manifest)
  const all = manifest.experiments.map((_, position) => position)
  for (const positions of [all, all.filter((position) => position % 3 === 1), []]) {
    const list = `[${Buffer.concat([...bytes.list(positions)]).toString()}]`
    expect(JSON.parse(list)).toEqual(positions.map((position) => manifest.experiments[position]))
  }
}

async function compare(store: CampaignStore, model: ReadonlyMap<string, Model>): Promise<void> {
  const query: CampaignQuery = { labels: [], sort: 'campaign_name', limit: 100 }
  expect((await listAll(store, query)).toSorted()).toEqual([...model.keys()].toSorted())
  for (const [id, { revision, labels, paths }] of model) {
    const { campaign, encoded } = await store.read(id)
    expect(campaign.header).toMatchObject({ revision, total_experiments: paths.size })
    expect(campaign.header.labels).toEqual(labels)
    expect([...campaign.experiments].map(({ exp_id, result_path }) => [exp_id, result_path])).toEqual([...paths])
    expectBytesOf(campaign, encoded)
  }
}
