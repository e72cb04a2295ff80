import { expect, test } from 'vitest'
import { ByteCache } from '#campaignd/runtime/byte-cache.js'

const KIB = 1024

function openCache(maxBytes: number) {
  const dropped: string[] = []
  const cache = new ByteCache<{ name: string; bytes: number }>({
    maxBytes,
    sizeOf: ({ bytes }) => bytes,
    onDropped: ({ name }) => dropped.push(name),
  })
  const set = (name: string, bytes: number, key = name) => {
    cache.set(key, { name, bytes })
  }
  return { cache, set, dropped, names: () => cache.values().map(({ name }) => name) }
}

test('what was used last stays, and what makes room for it is told, the oldest first', () => {
  const { cache, set, dropped, names } = openCache(100 * KIB)
  for (const name of ['a', 'b', 'c']) set(name, 30 * KIB)
  cache.get('a')
  set('d', 30 * KIB)
  set('e', 30 * KIB)
  expect(dropped).toEqual(['b', 'c'])
  expect(names()).toEqual(['a', 'd', 'e'])
})

test('an entry that is replaced is not dropped, and counts once', () => {
  const { set, dropped, names } = openCache(100 * KIB)
  for (let count = 0; count < 10; count += 1) set(`${count}`, 60 * KIB, 'same')
  expect([dropped, names()]).toEqual([[], ['9']])
})

test('an entry that is larger than all that may be kept is dropped, and leaves the others', () => {
  const { set, dropped, names } = openCache(100 * KIB)
  set('small', KIB)
  set('large', 200 * KIB)
  expect([dropped, names()]).toEqual([['large'], ['small']])
})

test('long keys and many small entries count with what they take', () => {
  const { set, names } = openCache(1024 * KIB)
  for (let count = 0; count < 1_000; count += 1) set(`${count}`, 1, `${count}${'k'.repeat(4 * KIB)}`)
  expect(names().length).toBeLessThan(130)
  const many = openCache(1024 * KIB)
  for (let count = 0; count < 100_000; count += 1) many.set(`${count}`, 1)
  expect(many.names().length).toBeLessThan(6_000)
})
