import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Decide } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignChange, Committed } from '#campaignd/repository/campaign-store.js'
import { CampaignCommits } from '#campaignd/repository/group-commit/campaign-commits.js'
import { corrupt, unavailable } from '#campaignd/repository/repository-error.js'
import { decided, NOW, refuse, relabel, repeat, report } from '../../support/campaigns/decisions.js'
import { SharedHead } from './shared-head.js'

/** The group commit of one process, and its changes and results in order. */
function processOn(store: SharedHead, now = NOW) {
  const log: string[] = []
  const stopping = new AbortController()
  const commits = new CampaignCommits<Committed>({
    committed: store.head,
    target: store,
    now: () => now,
    stopping: stopping.signal,
    events: {
      onChange: (change) => log.push(textOf(change)),
      onRemoved: () => log.push('removed'),
      onQuarantined: (reason) => commits.end(corrupt('sweep', reason)),
      onLost: () => commits.end(unavailable('lost')),
      onInDoubt: ({ message }) => commits.end(unavailable(message)),
    },
  })
  const logged = (pending: Promise<unknown>) =>
    pending.then(
      (result) => log.push(`result ${String(result)}`),
      (error: unknown) => log.push(`refusal ${(error as { code?: string }).code ?? (error as Error).message}`),
    )
  const call = (decide: Decide<unknown>) => logged(commits.update(decide))
  const stop = (reason: Error) => stopping.abort(reason)
  return { commits, log, call, stop, remove: () => logged(commits.remove(() => undefined)) }
}

function textOf(change: CampaignChange): string {
  if (change.type !== 'changed') return change.type
  const ids = change.experiments.map(({ exp_id }) => exp_id).join()
  return `changed ${change.previous_revision}-${change.campaign.header.revision} ${ids}`
}

test('of a superseded commit the other change is published first, and the calls are decided again on it', async () => {
  const store = new SharedHead()
  const { log, call, commits } = processOn(store)
  store.change()
  await Promise.all([call(report('0001', 'a')), call(repeat), call(refuse('no')), call(report('0002', 'b'))])
  expect(log).toEqual(['changed 1-2 0003', 'changed 2-4 0001,0002', 'result 3', 'result 3', 'refusal no', 'result 4'])
  expect(commits.committed).toBe(store.head)
})

test.each([
  { outcome: { kind: 'gone' }, log: ['removed', 'deleted'], code: 'campaign-not-found' },
  { outcome: { kind: 'quarantined', reason: 'changed' }, log: [], code: 'campaign-corrupt' },
  { outcome: { kind: 'in-doubt', reason: new Error('flush') }, log: [], code: 'store-unavailable' },
] as const)('a commit that is $outcome.kind fails its calls, those that wait and later ones', async (row) => {
  const store = new SharedHead()
  const { log, call, commits, remove } = processOn(store)
  const calls = [call(report('0001', 'a')), call(repeat)]
  store.failures.push(row.outcome)
  store.meanwhile = () => calls.push(call(report('0002', 'b')), call(repeat), remove())
  await commits.idle()
  await Promise.all([...calls, call(repeat), remove()])
  expect(log).toEqual([...row.log, ...Array.from({ length: 7 }, () => `refusal ${row.code}`)])
})

test('of a refused commit the changes fail, and what changed nothing is decided again', async () => {
  const store = new SharedHead()
  const { log, call } = processOn(store)
  store.failures.push({ kind: 'refused', error: unavailable('no room') })
  await Promise.all([call(report('0001', 'a')), call(repeat), call(refuse('no'))])
  await call(report('0001', 'b'))
  expect(log).toEqual(['refusal store-unavailable', 'result 1', 'refusal no', 'changed 1-2 0001', 'result 2'])
})

test.each([
  { finds: 'the state', before: false, log: ['result 1', 'changed 1-2 0003', 'result 2', 'refusal no'] },
  { finds: 'a newer one', before: true, log: ['changed 1-2 0003', 'result 2', 'result 2', 'refusal no'] },
])(
  'calls that come during a confirmation that finds $finds are not answered by it',
  async ({ before, log: expected }) => {
    const store = new SharedHead()
    const { log, call, commits } = processOn(store)
    const calls = [call(repeat)]
    if (before) store.change()
    store.meanwhile = () => {
      if (!before) store.change()
      calls.push(call(repeat), call(refuse('no')))
    }
    await commits.idle()
    await Promise.all(calls)
    expect(log).toEqual(expected)
    expect(store.confirmations).toBe(before ? 2 : 3)
  },
)

test('of a superseded removal the calls that came meanwhile are decided on what another committed', async () => {
  const store = new SharedHead()
  const { log, call, remove } = processOn(store)
  store.meanwhile = () => {
    store.change()
    void call(repeat)
  }
  await remove()
  expect(log).toEqual(['changed 1-2 0003', 'result 2', 'removed', 'deleted', 'result undefined'])
})

test('a decision is never dated before the campaign it is made on', async () => {
  const store = new SharedHead()
  const { commits } = processOn(store, '2020-01-01T00:00:00.000Z')
  const at = await commits.update((_, time) => ({ changes: null, result: time }))
  expect(at).toBe(store.head.campaign.header.updated_at)
})

test('of 50 increments through each of two processes none is lost', async () => {
  const store = new SharedHead()
  const processes = [processOn(store), processOn(store)]
  const increment: Decide<unknown> = (campaign, at) =>
    relabel({ n: String(Number(campaign.header.labels['n'] ?? 0) + 1) })(campaign, at)
  const calls = Array.from({ length: 50 }, async (_, count) => {
    for (let turns = 0; turns < count / 3; turns += 1) await turn()
    await Promise.all(processes.map(({ call }) => call(increment)))
  })
  await Promise.all(calls)
  expect(store.head.campaign.header).toMatchObject({ labels: { n: '100' }, revision: 101 })
  const results = processes.flatMap(({ log }) => log.filter((line) => line.startsWith('result')))
  expect(new Set(results)).toEqual(new Set(Array.from({ length: 100 }, (_, index) => `result ${index + 2}`)))
  for (const { log } of processes) {
    const steps = log.flatMap((line) => /^changed (\d+)-(\d+)/.exec(line)?.slice(1) ?? [])
    for (let at = 1; at + 1 < steps.length; at += 2) expect(steps[at + 1]).toBe(steps[at])
  }
})

/** A decision that takes until it is released. */
function held(decide: Decide<unknown>) {
  let isReleased = false
  const long: Decide<unknown> = function* (campaign, at) {
    while (!isReleased) yield
    return decided(decide, campaign, at)
  }
  return { long, release: () => (isReleased = true) }
}

async function someTurns(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await turn()
}

describe('while a long decision goes on', () => {
  test('calls that come wait, and are decided on its result', async () => {
    const { log, call, commits } = processOn(new SharedHead())
    const { long, release } = held(report('0001', 'a'))
    const calls = [call(long), call(report('0002', 'b')), call(repeat)]
    await someTurns()
    expect(log).toEqual([])
    release()
    await Promise.all(calls)
    expect(log).toEqual(['changed 1-3 0001,0002', 'result 2', 'result 3', 'result 3'])
    await commits.idle()
  })

  test('and is refused, calls that come are decided on what was before', async () => {
    const { log, call } = processOn(new SharedHead())
    const { long, release } = held(refuse('no'))
    const calls = [call(long), call(report('0002', 'b'))]
    await someTurns()
    release()
    await Promise.all(calls)
    expect(log.toSorted()).toEqual(['changed 1-2 0002', 'refusal no', 'result 2'])
  })

  test.each([
    {
      kind: 'fails',
      outcome: { kind: 'refused', error: unavailable('full') },
      log: ['refusal store-unavailable', 'changed 1-3 0001,0002', 'result 2', 'result 3'],
    },
    {
      kind: 'succeeds',
      outcome: null,
      log: ['changed 1-2 0003', 'result 2', 'changed 2-3 0001', 'result 3', 'changed 3-4 0002', 'result 4'],
    },
  ] as const)(
    'and the commit before it $kind, it is decided on what became of that',
    async ({ outcome, log: expected }) => {
      const store = new SharedHead()
      const { log, call } = processOn(store)
      const { long, release } = held(report('0001', 'a'))
      const calls: Promise<unknown>[] = [call(report('0003', 'c'))]
      if (outcome !== null) store.failures.push(outcome)
      store.meanwhile = () => calls.push(call(long), call(report('0002', 'b')))
      await someTurns()
      expect(log).toHaveLength(outcome === null ? 2 : 1)
      release()
      await Promise.all(calls)
      await Promise.all(calls)
      expect(log).toEqual(expected)
    },
  )

  test('and another process commits, it is decided again on that', async () => {
    const store = new SharedHead()
    const { log, call, commits } = processOn(store)
    const { long, release } = held(report('0001', 'a'))
    const calls = [call(report('0002', 'b')), call(long)]
    store.change()
    await someTurns()
    release()
    await Promise.all(calls)
    expect(log[0]).toBe('changed 1-2 0003')
    expect(log.filter((line) => line.startsWith('result')).toSorted()).toEqual(['result 3', 'result 4'])
    expect(commits.committed).toBe(store.head)
  })

  test('and the campaign is removed, it fails with the calls that wait for it', async () => {
    const { log, call, remove, commits } = processOn(new SharedHead())
    const { long, release } = held(report('0001', 'a'))
    await Promise.all([call(long), call(repeat), remove()])
    expect(log.toSorted()).toEqual(
      ['deleted', 'refusal campaign-not-found', 'refusal campaign-not-found', 'removed', 'result undefined'].toSorted(),
    )
    release()
    await commits.idle()
    await someTurns()
    expect(log).toHaveLength(5)
  })

  test('and the service stops, it is refused, and what is decided or short is done', async () => {
    const store = new SharedHead()
    const { log, call, stop, commits } = processOn(store)
    const { long } = held(report('0001', 'a'))
    const calls = [call(report('0002', 'b')), call(long), call(report('0003', 'c'))]
    store.meanwhile = () => stop(new Error('stopping'))
    await commits.idle()
    await Promise.all(calls)
    expect(log.filter((line) => !line.startsWith('changed')).toSorted()).toEqual(
      ['refusal stopping', 'result 2', 'result 3'].toSorted(),
    )
    expect(commits.committed).toBe(store.head)
  })

  test('and many wait behind it as the service stops, they are refused within few turns', async () => {
    const { log, call, stop } = processOn(new SharedHead())
    const { long } = held(report('0001', 'a'))
    const calls = Array.from({ length: 1000 }, () => call(long))
    await someTurns()
    stop(new Error('stopping'))
    for (let turns = 0; turns < 100; turns += 1) await turn()
    expect(log).toEqual(Array.from(calls, () => 'refusal stopping'))
  })

  test('the group commit is not idle', async () => {
    const { commits, call } = processOn(new SharedHead())
    const { long, release } = held(report('0001', 'a'))
    const called = call(long)
    let isIdle = false
    const idle = commits.idle().then(() => (isIdle = true))
    await someTurns()
    expect(isIdle).toBe(false)
    release()
    await Promise.all([called, idle])
  })
})
