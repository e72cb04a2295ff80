import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import { FileStore } from '#campaignd/repository/file/file-store.js'
import { newManifest, NOW, refuse, repeat, report, UNICODE } from '../../support/campaigns/decisions.js'
import { manifestPath, readManifest } from '../../support/store/files.js'
import { openTestStore } from '../../support/store/test-store.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { TIME_LIMIT } from '../../support/time-limit.js'
import { describeStore } from '../conformance.js'

describeStore('file store', openTestStore)

/** Lays files into a data directory that no service has seen yet. */
function lay(files: Readonly<Record<string, string | Buffer>>): string {
  const dataDir = temporaryDirectory()
  mkdirSync(join(dataDir, 'campaigns'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dataDir, 'campaigns', name), content)
  return dataDir
}

/** A manifest of ours as text, with some of its keys replaced. */
function ownText(id: string, given: object = {}): string {
  return JSON.stringify({ ...newManifest(id, 2), ...given })
}

describe('the file', () => {
  test('the file holds a header key a line and an experiment a line', async () => {
    const { store, dataDir } = await openTestStore()
    const manifest = newManifest('sweep', 130, { labels: UNICODE })
    await store.create(manifest)
    const { experiments, ...header } = manifest
    const lines = [
      '{',
      ...Object.entries(header).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},`),
      '  "experiments": [',
      ...experiments.map((one, at) => `    ${JSON.stringify(one)}${at + 1 < experiments.length ? ',' : ''}`),
      '  ]',
      '}',
      '',
    ]
    expect(readManifest(dataDir, 'sweep').split('\n')).toEqual(lines)
  })

  test('the file is the document byte for byte, after every update', async () => {
    const { store, dataDir } = await openTestStore()
    await store.create(newManifest('sweep', 130))
    for (const path of ['a', 'größer', '']) {
      await Promise.all(['0001', '0064', '0065', '0130'].map((id) => store.update('sweep', report(id, path))))
      const { encoded } = await store.read('sweep')
      expect(Buffer.concat([...(encoded?.parts ?? [])])).toEqual(readFileSync(manifestPath(dataDir, 'sweep')))
    }
  })

  test('the file changes in the lines that changed and in no other', async () => {
    const { store, dataDir } = await openTestStore()
    await store.create(newManifest('sweep', 130))
    const before = readManifest(dataDir, 'sweep').split('\n')
    await store.update('sweep', report('0065', 'new'))
    const after = readManifest(dataDir, 'sweep').split('\n')
    const changed = after.filter((line, at) => line !== before[at])
    expect(changed.map((line) => line.trim().slice(0, 16))).toEqual(['"revision": 2,', '{"exp_id":"0065"'])
  })
})

describe('a start', () => {
  test('a start removes what unfinished writes left, and reports it', async () => {
    const dataDir = lay({
      'sweep.json': ownText('sweep'),
      'sweep.json.2f6d8a1e-0000-4000-8000-000000000000.tmp': '{"half":',
      'gone.json.2f6d8a1e-0000-4000-8000-000000000000.tmp': '',
    })
    const { store, notices } = await openTestStore({ dataDir })
    expect(readdirSync(join(dataDir, 'campaigns'))).toEqual(['sweep.json'])
    expect(notices).toEqual(['removed 2 unfinished writes of an earlier run'])
    expect((await store.read('sweep')).campaign.header.revision).toBe(1)
  })

  test('a start names files that look like manifests but cannot be any', async () => {
    const { notices } = await openTestStore({ dataDir: lay({ 'Not An Id.json': '{}', 'notes.txt': 'hello' }) })
    expect(notices).toEqual([expect.stringContaining('Not An Id.json is ignored')])
  })
})

describe('a file that cannot be trusted', () => {
  test('a file that cannot be trusted is reported to the operator with the reason, at the start or when it is found', async () => {
    const dataDir = lay({ 'bad.json': '{"half":', 'good.json': ownText('good') })
    const { store, corrupt } = await openTestStore({ dataDir })
    expect([...corrupt]).toEqual([['bad', expect.stringContaining('not JSON')]])
    writeFileSync(manifestPath(dataDir, 'good'), ownText('good', { revision: 9 }))
    await expect(store.update('good', report('0001', 'new'))).rejects.toMatchObject({ code: 'campaign-corrupt' })
    expect([...corrupt.keys()]).toEqual(['bad', 'good'])
  })

  test('a file that cannot be trusted is read again once it was replaced', async () => {
    const dataDir = lay({ 'bad.json': '{"half":' })
    const { store } = await openTestStore({ dataDir })
    writeFileSync(manifestPath(dataDir, 'bad'), ownText('bad'))
    expect((await store.read('bad')).campaign.header.revision).toBe(1)
  })
})

test('a file that is put there once the store is closed is refused, and the stop stays an orderly one', async () => {
  const { store, dataDir, fatal, close } = await openTestStore()
  await close()
  writeFileSync(manifestPath(dataDir, 'late'), ownText('late'))
  await expect(store.read('late')).rejects.toMatchObject({ code: 'store-unavailable' })
  expect(fatal).toEqual([])
})

describe('a write that the system refuses', () => {
  // Root may write whatever the mode says, so the directory is taken away instead.
  async function withoutDirectory(dataDir: string, work: (giveBack: () => void) => Promise<void>): Promise<void> {
    const campaigns = join(dataDir, 'campaigns')
    const giveBack = () => {
      if (!existsSync(campaigns)) renameSync(`${campaigns}.away`, campaigns)
    }
    renameSync(campaigns, `${campaigns}.away`)
    try {
      await work(giveBack)
    } finally {
      giveBack()
    }
  }

  test('a write that the system refuses fails every update that shared it, changes nothing, and the next one goes on from what is on disk', async () => {
    const { store, dataDir } = await openTestStore()
    await store.create(newManifest('sweep', 3))
    const before = readManifest(dataDir, 'sweep')
    await withoutDirectory(dataDir, async () => {
      const calls = ['0001', '0002', '0003'].map((id) => store.update('sweep', report(id, 'new')))
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store-unavailable' } })
      }
      expect((await store.read('sweep')).campaign.header.revision).toBe(1)
      await expect(store.create(newManifest('another', 1))).rejects.toMatchObject({ code: 'store-unavailable' })
    })
    expect(readManifest(dataDir, 'sweep')).toBe(before)
    expect(await store.update('sweep', report('0002', 'new'))).toBe(2)
    expect((await store.read('sweep')).campaign.get('0001')).toMatchObject({ result_path: null })
  })

  test('a write that the system refuses leaves the calls that wait behind it in their order', async () => {
    const { store, dataDir } = await openTestStore()
    await store.create(newManifest('sweep', 1))
    const behind: Promise<number>[] = []
    await withoutDirectory(dataDir, async (giveBack) => {
      const lost = store.update('sweep', report('0001', 'lost'))
      await turns(1)
      behind.push(
        store.update('sweep', (campaign, at) => {
          // It is decided once the one before has failed, and written at once.
          if (campaign.get('0001')?.result_path !== 'lost') giveBack()
          return report('0001', 'first')(campaign, at)
        }),
      )
      behind.push(
        store.update('sweep', (campaign, at) => {
          if (campaign.get('0001')?.result_path !== 'first') throw new Error('it was decided before the one before it')
          return report('0001', 'second')(campaign, at)
        }),
      )
      await expect(lost).rejects.toMatchObject({ code: 'store-unavailable' })
    })
    expect(await Promise.all(behind)).toEqual([2, 3])
  })

  test('a write that the system refuses delays no call that changes nothing, however many writers retry', async () => {
    const { store, dataDir } = await openTestStore()
    await store.create(newManifest('sweep', 1))
    await withoutDirectory(dataDir, async () => {
      let failures = 0
      let isTold = false
      const write = async (): Promise<void> => {
        while (!isTold && failures < 20) {
          await store.update('sweep', report('0001', 'new')).catch(() => (failures += 1))
        }
      }
      const writing = write()
      await store.update('sweep', repeat)
      isTold = true
      expect(failures).toBeLessThan(3)
      await writing
    })
  })
})

describe('reports of commits', () => {
  test('commits are reported with their calls and bytes, one for a creation, a change and a deletion', async () => {
    const { store, dataDir, reports } = await openTestStore()
    await store.create(newManifest('sweep', 3))
    const created = statSync(manifestPath(dataDir, 'sweep')).size
    await Promise.all([
      ...['0001', '0002'].map((id) => store.update('sweep', report(id, 'new'))),
      store.update('sweep', repeat),
    ])
    const changed = statSync(manifestPath(dataDir, 'sweep')).size
    await store.update('sweep', repeat)
    await store.delete('sweep', { permit: () => undefined, force: false })
    expect(reports.map(({ outcome, calls, bytes }) => [outcome, calls, bytes])).toEqual([
      ['durable', 1, created],
      ['durable', 3, changed],
      ['durable', 1, 0],
    ])
    for (const { seconds } of reports) expect(seconds).toBeGreaterThan(0)
  })

  test('commits that did not become durable are reported with the reason', async () => {
    const { store, dataDir, reports } = await openTestStore()
    await store.create(newManifest('sweep', 1))
    writeFileSync(manifestPath(dataDir, 'sweep'), '{}')
    await expect(store.update('sweep', report('0001', 'new'))).rejects.toMatchObject({ code: 'campaign-corrupt' })
    await store.create(newManifest('another', 1))
    rmdirSync(join(dataDir, 'lock'))
    await expect(store.update('another', report('0001', 'new'))).rejects.toThrow()
    expect(reports.map(({ outcome }) => outcome)).toEqual(['durable', 'refused', 'durable', 'lock_lost'])
  })
})

describe('a store that lost its lock', () => {
  function loseLock(dataDir: string): void {
    rmdirSync(join(dataDir, 'lock'))
    mkdirSync(join(dataDir, 'lock'))
    onTestFinished(() => {
      rmdirSync(join(dataDir, 'lock'))
    })
  }

  /** Rejects what hangs, so that the test says which promise it was. */
  async function settled(call: Promise<unknown>): Promise<string> {
    const hangs = new Promise<string>((resolve) => setTimeout(resolve, TIME_LIMIT, 'hangs').unref())
    return Promise.race([
      call.then(
        () => 'done',
        (error: unknown) => String((error as { code?: string }).code),
      ),
      hangs,
    ])
  }

  test('a store that lost its lock acknowledges nothing, changes nothing, and reports that it must end', async () => {
    const { store, dataDir, fatal } = await openTestStore()
    await store.create(newManifest('sweep', 2))
    const before = readManifest(dataDir, 'sweep')
    loseLock(dataDir)
    expect(await settled(store.update('sweep', report('0001', 'new')))).toMatch(/store-unavailable|durability-unknown/)
    expect(fatal).toHaveLength(1)
    expect(await settled(store.update('sweep', report('0001', 'new')))).toBe('store-unavailable')
    expect(await settled(store.create(newManifest('another', 1)))).toBe('store-unavailable')
    expect(await settled(store.delete('sweep', { permit: () => undefined, force: false }))).toBe('store-unavailable')
    expect((await store.readiness()).ready).toBe(false)
    expect(readManifest(dataDir, 'sweep')).toBe(before)
    expect(readdirSync(join(dataDir, 'campaigns'))).toEqual(['sweep.json'])
    await store.close()
    expect(readdirSync(dataDir)).toContain('lock')
  })

  test('a store that lost its lock answers every kind of call that was in flight', async () => {
    const { store, dataDir, fatal } = await openTestStore()
    for (const id of ['one', 'two', 'three']) await store.create(newManifest(id, 1))
    loseLock(dataDir)
    const permit = () => undefined
    const outcomes = await Promise.all([
      settled(store.update('one', report('0001', 'new'))),
      settled(store.update('one', report('0001', 'new'))),
      settled(store.update('one', refuse('decided on what is not there'))),
      settled(store.delete('two', { permit, force: false })),
      settled(store.update('three', report('0001', 'new'))),
      settled(store.delete('three', { permit, force: false })),
      settled(store.create(newManifest('four', 1))),
    ])
    for (const outcome of outcomes) expect(outcome).toMatch(/store-unavailable|durability-unknown/)
    expect(fatal).toHaveLength(1)
  })

  test('a store that lost its lock while it is being closed answers what it has accepted, and reports that it is in doubt', async () => {
    const { store, dataDir, fatal } = await openTestStore()
    await store.create(newManifest('sweep', 2))
    const update = store.update('sweep', report('0001', 'new'))
    const closing = store.close()
    loseLock(dataDir)
    expect(await settled(update)).toMatch(/store-unavailable|durability-unknown/)
    expect(await settled(closing)).not.toBe('hangs')
    expect(fatal).toHaveLength(1)
  })

  test.each<[what: string, call: (store: CampaignStore) => Promise<unknown>]>([
    ['answers no repetition', (store) => store.update('sweep', repeat)],
    ['refuses no creation', (store) => store.create(newManifest('sweep', 2))],
    [
      'refuses no deletion',
      (store) =>
        store.delete('sweep', { permit: (campaign) => void refuse('it is running')(campaign, NOW), force: false }),
    ],
  ])('a store that lost its lock %s because of a state that may be old', async (_what, call) => {
    const { store, dataDir, fatal } = await openTestStore()
    await store.create(newManifest('sweep', 2))
    loseLock(dataDir)
    expect(await settled(call(store))).toMatch(/store-unavailable|durability-unknown/)
    expect(fatal).toHaveLength(1)
  })

  test('a store that lost its lock answers no repetition either that waits for a commit that is done', async () => {
    const { store, dataDir, fatal } = await openTestStore()
    await store.create(newManifest('sweep', 2))
    const update = settled(store.update('sweep', report('0001', 'new')))
    await turns(2)
    standStillUntil(() => readFileSync(manifestPath(dataDir, 'sweep'), 'utf8').includes('"new"'))
    const repeated = settled(store.update('sweep', repeat))
    loseLock(dataDir)
    expect(await repeated).toMatch(/store-unavailable|durability-unknown/)
    await update
    expect(fatal).toHaveLength(1)
  })
})

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Until it is so and the flush behind it is over; of what comes meanwhile nothing is read. */
function standStillUntil(isSo: () => boolean): void {
  const still = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  for (let tries = 0; tries < 100 && !isSo(); tries += 1) Atomics.wait(still, 0, 0, 20)
  Atomics.wait(still, 0, 0, 200)
}

test('of two starts on one directory the second waits, and succeeds when the first releases it', async () => {
  const first = await openTestStore()
  await first.store.create(newManifest('sweep', 2))
  const second = openTestStore({ dataDir: first.dataDir })
  await new Promise((resolve) => setTimeout(resolve, 500))
  await first.store.update('sweep', report('0001', 'new'))
  await first.store.close()
  const { store, notices } = await second
  expect(notices).toEqual([expect.stringContaining(`waits for process ${process.pid}`)])
  expect((await store.read('sweep')).campaign.header.revision).toBe(2)
})

test('what the system reports of a failure is shown to the operator, and to no caller', async () => {
  const { store, fatal } = await openTestStore()
  await store.create(newManifest('sweep', 1))
  const reason = new Error("EIO: i/o error, open '/srv/data/campaigns' and sweep.json was left in /srv/data")
  if (!(store instanceof FileStore)) throw new Error('it is another store')
  store.failStop(reason)
  expect(fatal).toEqual([reason])
  const refusal = await store.update('sweep', report('0001', 'x')).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'store-unavailable' })
  for (const shown of [(refusal as Error).message, JSON.stringify(await store.readiness())])
    expect(shown).not.toMatch(/srv|sweep\.json|EIO/)
})
