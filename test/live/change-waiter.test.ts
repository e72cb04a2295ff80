import { expect, test } from 'vitest'
import { ChangeWaiter } from '#campaignd/live/change-waiter.js'
import { committedState, StateFeed } from '../support/campaigns/committed.js'

test('a wait that ends while a change waits for its turn is told of the change', async () => {
  const store = new StateFeed()
  const changes = new ChangeWaiter(store)
  const end = new AbortController()
  let state = 'before'
  const wait = { signal: end.signal, onHeld: () => undefined }
  const read = () => Promise.resolve(state)
  const results = [1, 2, 3].map(() => changes.readUntil('sweep', wait, read, () => false))
  await new Promise(setImmediate)
  state = 'after'
  store.commit(committedState('sweep', []))
  // They know of the change, and have not had a turn of the event loop yet.
  for (let step = 0; step < 10; step += 1) await Promise.resolve()
  end.abort()
  expect(await Promise.all(results)).toEqual(['after', 'after', 'after'])
})
