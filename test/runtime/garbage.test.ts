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

test('garbage is not asked for when there is little, nor again at once', () => {
  const garbage = new Garbage()
  garbage.leave(MIB)
  expect(garbage.collect(0)).toBe(false)
  garbage.leave(20 * MIB)
  expect(garbage.collect(1_000)).toBe(true)
  garbage.leave(20 * MIB)
  expect(garbage.collect(2_000)).toBe(false)
  expect(garbage.collect(20_000)).toBe(true)
})
