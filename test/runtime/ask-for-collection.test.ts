import { expect, test } from 'vitest'
import { askForCollection } from '#campaignd/runtime/ask-for-collection.js'
import { residentBytes } from '../support/memory.js'

test('garbage is collected soon after that is asked for, and to ask takes no memory', async () => {
  const collected = new Set<number>()
  const registry = new FinalizationRegistry<number>((index) => collected.add(index))
  for (let index = 0; index < 20; index += 1) registry.register(Buffer.alloc(1024 * 1024), index)
  const before = residentBytes(process.pid)
  askForCollection()
  expect(residentBytes(process.pid)).toBeLessThan(before + 48 * 1024 * 1024)
  await expect.poll(() => collected.size).toBeGreaterThan(15)
})
