import { expect, test } from 'vitest'
import { inTurns, turnForResponse, turnOfOne } from '#campaignd/runtime/turns.js'

function* steps(count: number, onStep: () => void): Generator<void, number, void> {
  for (let step = 0; step < count; step += 1) {
    onStep()
    yield
  }
  return count
}

function pass(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

/** @returns ends the counting of turns of the event loop: how many there were */
function countTurns(): () => number {
  let turns = 0
  let immediate = setImmediate(count)
  function count() {
    turns += 1
    immediate = setImmediate(count)
  }
  return () => {
    clearImmediate(immediate)
    return turns
  }
}

test('short work is done at once, and long work in several turns of the event loop, with the same result', async () => {
  expect(inTurns(steps(3, () => undefined))).toBe(3)
  const turnsUntilNow = countTurns()
  const result = inTurns(steps(100, () => pass(1)))
  expect(result).toBeInstanceOf(Promise)
  expect(await result).toBe(100)
  expect(turnsUntilNow()).toBeGreaterThan(10)
})

test('many that are woken together go on over several turns, in their order, and several in one turn', async () => {
  const turnsUntilNow = countTurns()
  const order: number[] = []
  const goOn = async (one: number) => {
    await turnOfOne()
    // What follows a promise belongs to the same turn.
    await Promise.resolve()
    pass(0.5)
    order.push(one)
  }
  const all = Array.from({ length: 100 }, (_, index) => index)
  await Promise.all(all.map(goOn))
  const turns = turnsUntilNow()
  expect(order).toEqual(all)
  expect(turns).toBeGreaterThan(5)
  expect(turns).toBeLessThan(80)
})

test('what fails in a later turn rejects', async () => {
  const work = function* () {
    yield* steps(50, () => pass(1))
    throw new Error('later')
  }
  await expect(inTurns(work())).rejects.toThrow('later')
})

/** Work that ends only when it is given up. */
function* endless(): Generator<void, never, void> {
  for (;;) yield
}

test('long work is given up when its signal aborts, begun or not, and short work is done', async () => {
  const stopping = new AbortController()
  const { signal } = stopping
  const begun = [inTurns(endless(), signal), inTurns(endless(), signal)]
  const decided = inTurns(steps(20, () => pass(1)))
  stopping.abort(new Error('stopping'))
  for (const work of begun) await expect(work).rejects.toThrow('stopping')
  await new Promise((resolve) => setImmediate(resolve))
  expect(() => inTurns(endless(), signal)).toThrow('stopping')
  await new Promise((resolve) => setImmediate(resolve))
  expect(
    inTurns(
      steps(3, () => undefined),
      signal,
    ),
  ).toBe(3)
  expect(await decided).toBe(20)
})

test('long work goes on beside any number of responses, and they beside it', async () => {
  let isOver = false
  const made = Array.from({ length: 100 }, () => 0)
  const responses = made.map(async (_count, index) => {
    while (!isOver) {
      pass(0.5)
      made[index] = (made[index] ?? 0) + 1
      await turnForResponse()
    }
  })
  // 25 turns, or some more.
  await inTurns(steps(100, () => pass(1)))
  isOver = true
  await Promise.all(responses)
  const pieces = made.reduce((sum, count) => sum + count)
  // By turns: with one turn for each response, there would be a hundred times as many.
  expect(pieces).toBeGreaterThan(100)
  expect(pieces).toBeLessThan(2000)
})

test('work that is part of a response shares the turns of responses: a decision does not wait for all of it', async () => {
  const over: string[] = []
  const begin = (name: string, kind: 'work' | 'response') => {
    const done = inTurns(
      steps(40, () => pass(1)),
      undefined,
      kind,
    )
    return Promise.resolve(done).then(() => over.push(name))
  }
  const pages = Array.from({ length: 8 }, (_, index) => begin(`page ${index}`, 'response'))
  await Promise.all([...pages, begin('decision', 'work')])
  expect(over[0]).toBe('decision')
})
