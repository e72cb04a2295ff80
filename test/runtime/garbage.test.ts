import { expect, test } from 'vitest'
import { Garbage } from '#campaignd/runtime/garbage.js'
import { residentBytes } from '../support/memory.js'

const MIB = 1024 * 1024

test('garbage is collected soon after that is asked for, and to ask takes no memory', async () => {
  const collected = new Set<number>()
  const registry = new FinalizationRegistry<number>((index) => collected.add(index))
  const garbage = new Garbage()
  for (let index = 0; index < 20; index += 1) {
    registry.register(Buffer.alloc(MIB), index)
    garbage.leave(MIB)
  }
  const before = residentBytes(process.pid)
  expect(garbage.collect(performance.now())).toBe(true)
  expect(residentBytes(process.pid)).toBeLessThan(before + 48 * MIB)
  await expect.poll(() => collected.size).toBeGreaterThan(15)
})

test('a heap that has grown since it was smallest is looked through, and not again at once', () => {
  let heap = 100 * MIB
  const garbage = new Garbage(() => heap)
  const collectAt = (now: number, bytes: number) => {
    heap = bytes
    return garbage.collect(now)
  }
  expect(collectAt(0, 100 * MIB)).toBe(false)
  expect(collectAt(1_000, 40 * MIB)).toBe(false)
  expect(collectAt(2_000, 47 * MIB)).toBe(false)
  expect(collectAt(3_000, 49 * MIB)).toBe(true)
  expect(collectAt(4_000, 40 * MIB)).toBe(false)
  expect(collectAt(5_000, 90 * MIB)).toBe(false)
  expect(collectAt(19_000, 90 * MIB)).toBe(true)
})

test('a heap of garbage is smaller soon after that is asked for', async () => {
  const bytes = () => process.memoryUsage().heapUsed
  const garbage = new Garbage()
  const kept = [Array.from({ length: 500_000 }, (_, index) => ({ index }))]
  const before = bytes()
  expect(kept.pop()).toHaveLength(500_000)
  garbage.leave(20 * MIB)
  expect(garbage.collect(performance.now())).toBe(true)
  await expect.poll(bytes).toBeLessThan(before - 10 * MIB)
})

test('garbage is not asked for when there is little, nor again at once', () => {
  const garbage = new Garbage(() => 0)
  garbage.leave(MIB)
  expect(garbage.collect(0)).toBe(false)
  garbage.leave(20 * MIB)
  expect(garbage.collect(1_000)).toBe(true)
  garbage.leave(20 * MIB)
  expect(garbage.collect(2_000)).toBe(false)
  expect(garbage.collect(20_000)).toBe(true)
})

test('where the system gives no memory the service goes on', () => {
  const garbage = new Garbage(
    () => 0,
    () => {
      throw new RangeError('Array buffer allocation failed')
    },
  )
  garbage.leave(20 * MIB)
  expect(garbage.collect(0)).toBe(true)
})
