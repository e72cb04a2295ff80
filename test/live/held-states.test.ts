import { expect, test } from 'vitest'
import { HeldStates } from '#campaignd/live/held-states.js'
import type { Committed } from '#campaignd/repository/campaign-store.js'
import { committedState, StateFeed } from '../support/campaigns/committed.js'

const [A, B, C, D, E] = [100, 200, 300, 400, 500].map((size) => new Uint8Array(size)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

/** The states of a campaign, one revision after the other. */
function statesOf(id: string, ...all: readonly (readonly Uint8Array[])[]): [Committed, ...Committed[]] {
  return all.map((parts, index) => committedState(id, parts, { revision: index + 1 })) as [Committed, ...Committed[]]
}

function openHeld(maxBytes = Infinity) {
  const store = new StateFeed()
  const held = new HeldStates(store, maxBytes)
  const given: string[] = []
  /** Also once what is committed could be read. */
  const hold = async (name: string, state: Committed | undefined) => {
    if (state === undefined) throw new Error('no such state')
    const release = held.hold(state, () => given.push(name))
    await new Promise(setImmediate)
    return release
  }
  return { store, held, given, hold }
}

test('a state costs what no newer one shares, from the commit on that replaces it', async () => {
  const { store, held, hold } = openHeld()
  const [first, ...later] = statesOf('sweep', [A, B], [A, C], [D, C, E])
  store.commit(first)
  const release = await hold('first', first)
  expect(held.bytes).toBe(0)
  const costs = later.map((state) => {
    store.commit(state)
    return held.bytes
  })
  expect(costs).toEqual([200, 300])
  release()
  expect(held.bytes).toBe(0)
})

test('a state that was replaced before anybody held it costs what no newer one shares', async () => {
  const { store, held, hold } = openHeld()
  const [first, second] = statesOf('sweep', [A, B], [A, C])
  store.keep(second ?? first)
  await hold('first', first)
  expect(held.bytes).toBe(200)
})

test('what several old states share is counted once, whichever of them is held or let go first', async () => {
  const { store, held, hold } = openHeld()
  const [first, second, third, last] = statesOf('sweep', [A, B], [A, C], [D, C], [E, E])
  store.commit(last ?? first)
  const releases = [await hold('third', third), await hold('first', first), await hold('second', second)]
  expect(held.bytes).toBe(100 + 200 + 300 + 400)
  releases[2]?.()
  expect(held.bytes).toBe(100 + 200 + 300 + 400)
  releases[1]?.()
  expect(held.bytes).toBe(300 + 400)
  releases[1]?.()
  releases[0]?.()
  expect(held.bytes).toBe(0)
})

test('the state that is committed costs nothing while it is held, the one before it what they do not share', async () => {
  const { store, held, hold } = openHeld()
  const [first, second] = statesOf('sweep', [A], [B])
  store.commit(first)
  await hold('first', first)
  await hold('second', second)
  expect(held.bytes).toBe(100)
})

test('a state is held until the last of its clients is through', async () => {
  const { store, held, hold } = openHeld()
  const [first, second] = statesOf('sweep', [A], [B])
  store.commit(second ?? first)
  const releases = [await hold('one', first), await hold('two', first)]
  releases[0]?.()
  releases[0]?.()
  expect(held.bytes).toBe(100)
  releases[1]?.()
  expect(held.bytes).toBe(0)
})

test('above the limit the state that was held first is given up, with each of its clients and once', async () => {
  const { store, held, given, hold } = openHeld(650)
  const [oldest, second, newest, next] = statesOf('sweep', [A], [B], [C], [D])
  const [other, replaced] = statesOf('other', [D], [E])
  store.commit(newest ?? oldest)
  store.commit(other)
  const release = await hold('oldest', oldest)
  await hold('oldest, too', oldest)
  await hold('of another campaign', other)
  await hold('second', second)
  await hold('newest', newest)
  expect([held.bytes, given]).toEqual([300, []])
  store.commit(replaced ?? other)
  expect([held.bytes, given]).toEqual([600, ['oldest', 'oldest, too']])
  release()
  expect([held.bytes, given]).toEqual([600, ['oldest', 'oldest, too']])
  store.commit(next ?? oldest)
  expect([held.bytes, given.slice(2)]).toEqual([500, ['of another campaign']])
})

test('a state of which no part is the only one in memory is not given up', async () => {
  const { store, given, hold } = openHeld(50)
  const [first, second, third] = statesOf('sweep', [A], [A], [A, B])
  store.commit(second ?? first)
  await hold('shared', first)
  await hold('newest', second)
  store.commit(third ?? first)
  expect(given).toEqual([])
})

test('of a campaign that is deleted a state costs all its bytes; the one made in its place, nothing', async () => {
  const { store, held, hold } = openHeld()
  const [first] = statesOf('sweep', [A])
  store.commit(first)
  const release = await hold('first', first)
  store.delete('sweep')
  expect(held.bytes).toBe(first.campaign.bytes)
  const again = committedState('sweep', [A], { uid: '00c0ffee00c0ffee' })
  store.create(again)
  await hold('again', again)
  expect(held.bytes).toBe(first.campaign.bytes)
  release()
  expect(held.bytes).toBe(0)
})

test('of a store that keeps no bytes a state costs all its bytes, once it is replaced', async () => {
  const { store, held, hold } = openHeld()
  const [first, second] = statesOf('sweep', [], []).map((state) => ({ ...state, encoded: null }))
  if (first === undefined || second === undefined) throw new Error('no states')
  store.commit(first)
  await hold('first', first)
  expect(held.bytes).toBe(0)
  store.commit(second)
  expect(held.bytes).toBe(first.campaign.bytes)
})
