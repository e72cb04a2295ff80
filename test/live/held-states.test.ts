import { expect, test } from 'vitest'
import { HeldStates } from '#campaignd/live/held-states.js'
import type { Committed } from '#campaignd/repository/campaign-store.js'
import { ChangeFeed } from '#campaignd/repository/change-feed.js'
import { committedState } from '../support/campaigns/committed.js'

const [A, B, C, D, E] = [100, 200, 300, 400, 500].map((size) => new Uint8Array(size)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

function openHeld(maxBytes = Infinity) {
  const feed = new ChangeFeed()
  const held = new HeldStates(feed, maxBytes)
  const given: string[] = []
  const hold = (name: string, state: Committed) => held.hold(state, () => given.push(name))
  const commit = (state: Committed) => {
    feed.emit({ type: 'changed', previous_revision: 1, experiments: [], shrunk: 0, ...state })
  }
  return { feed, held, given, hold, commit }
}

test('a state costs what no newer one shares, from the commit on that replaces it', () => {
  const { held, hold, commit } = openHeld()
  const release = hold('first', committedState('sweep', [A, B]))
  expect(held.bytes).toBe(0)
  commit(committedState('sweep', [A, C]))
  expect(held.bytes).toBe(200)
  commit(committedState('sweep', [D, C, E]))
  expect(held.bytes).toBe(300)
  release()
  expect(held.bytes).toBe(0)
})

test('what several old states share is counted once, whichever of them is let go first', () => {
  const { held, hold, commit } = openHeld()
  const releases = [
    [A, B],
    [A, C],
    [D, C],
  ].map((parts, index) => hold(`${index}`, committedState('sweep', parts)))
  commit(committedState('sweep', [E, E]))
  expect(held.bytes).toBe(100 + 200 + 300 + 400)
  releases[1]?.()
  expect(held.bytes).toBe(100 + 200 + 300 + 400)
  releases[0]?.()
  expect(held.bytes).toBe(300 + 400)
  releases[0]?.()
  releases[2]?.()
  expect(held.bytes).toBe(0)
})

test('a state is held until the last of its clients is through', () => {
  const { held, hold, commit } = openHeld()
  const state = committedState('sweep', [A])
  const releases = [hold('one', state), hold('two', state)]
  commit(committedState('sweep', [B]))
  releases[0]?.()
  releases[0]?.()
  expect(held.bytes).toBe(100)
  releases[1]?.()
  expect(held.bytes).toBe(0)
})

test('above the limit the state that was held first is given up, with each of its clients and once', () => {
  const { held, given, hold, commit } = openHeld(650)
  const oldest = committedState('sweep', [A])
  const release = hold('oldest', oldest)
  hold('oldest, too', oldest)
  hold('of another campaign', committedState('other', [D]))
  hold('second', committedState('sweep', [B]))
  hold('newest', committedState('sweep', [C]))
  expect([held.bytes, given]).toEqual([300, []])
  commit(committedState('other', [E]))
  expect([held.bytes, given]).toEqual([600, ['oldest', 'oldest, too']])
  release()
  expect([held.bytes, given]).toEqual([600, ['oldest', 'oldest, too']])
  commit(committedState('sweep', [D]))
  expect([held.bytes, given.slice(2)]).toEqual([500, ['of another campaign']])
})

test('a state of which no part is the only one in memory is not given up', () => {
  const { given, hold, commit } = openHeld(50)
  hold('shared', committedState('sweep', [A]))
  hold('newest', committedState('sweep', [A]))
  commit(committedState('sweep', [A, B]))
  expect(given).toEqual([])
})

test('of a campaign that is deleted, and of a store that keeps no bytes, a state costs all its bytes', () => {
  const { feed, held, hold, commit } = openHeld()
  const state = committedState('sweep', [A])
  const release = hold('first', state)
  feed.emit({ type: 'deleted', campaign_id: 'sweep' })
  expect(held.bytes).toBe(state.campaign.bytes)
  release()
  const other = { ...committedState('other', []), encoded: null }
  hold('second', other)
  commit(other)
  expect(held.bytes).toBe(other.campaign.bytes)
})
