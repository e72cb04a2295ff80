import { expect, test } from 'vitest'
import { PageCache } from '#campaignd/http/replies/page-cache.js'

const KIB = 1024

const never = () => {
  throw new Error('encoded again')
}

test('a cached page is encoded once, as long as it is among the most recently used', () => {
  const pages = new PageCache(100 * KIB)
  const page = (content: number) => Buffer.alloc(40 * KIB, content)
  const [first, second, third] = [page(1), page(2), page(3)]
  pages.get('first', () => first)
  pages.get('second', () => second)
  expect(pages.get('first', never)).toBe(first)
  pages.get('third', () => third)
  expect(pages.get('first', never)).toBe(first)
  expect(pages.get('third', never)).toBe(third)
  expect(() => pages.get('second', never)).toThrow('encoded again')
})

test('a page larger than the whole cache is returned and not kept, and evicts nothing', () => {
  const pages = new PageCache(100 * KIB)
  const small = Buffer.alloc(60 * KIB)
  pages.get('small', () => small)
  expect(pages.get('large', () => Buffer.alloc(101 * KIB))).toHaveLength(101 * KIB)
  expect(pages.get('small', never)).toBe(small)
  expect(() => pages.get('large', never)).toThrow('encoded again')
})

test('a page cache never keeps more bytes than its limit, however many pages pass through it', () => {
  const pages = new PageCache(100 * KIB)
  for (let index = 0; index < 1000; index += 1) pages.get(String(index), () => Buffer.alloc(30 * KIB))
  const kept = Array.from({ length: 1000 }, (_, index) => String(index)).filter((key) => {
    try {
      pages.get(key, never)
      return true
    } catch {
      return false
    }
  })
  expect(kept).toEqual(['997', '998', '999'])
})

test('long queries take the room of pages: they are kept with them', () => {
  const pages = new PageCache(100 * KIB)
  const page = Buffer.alloc(KIB)
  const keyOf = (index: number) => `${index} ${'q'.repeat(8 * KIB)}`
  for (let index = 0; index < 20; index += 1) pages.get(keyOf(index), () => page)
  expect(pages.get(keyOf(19), never)).toBe(page)
  expect(() => pages.get(keyOf(10), never)).toThrow('encoded again')
})
