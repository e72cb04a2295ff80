import { expect, test } from 'vitest'
import { PageCache } from '#campaignd/http/replies/page-cache.js'

const never = () => {
  throw new Error('encoded again')
}

test('a cached page is encoded once, as long as it is among the most recently used', () => {
  const pages = new PageCache(100)
  const [first, second, third] = [Buffer.alloc(40, 1), Buffer.alloc(40, 2), Buffer.alloc(40, 3)]
  pages.get('first', () => first)
  pages.get('second', () => second)
  expect(pages.get('first', never)).toBe(first)
  pages.get('third', () => third)
  expect(pages.get('first', never)).toBe(first)
  expect(pages.get('third', never)).toBe(third)
  expect(() => pages.get('second', never)).toThrow('encoded again')
})

test('a page larger than the whole cache is returned and not kept, and evicts nothing', () => {
  const pages = new PageCache(100)
  const small = Buffer.alloc(60)
  pages.get('small', () => small)
  expect(pages.get('large', () => Buffer.alloc(101))).toHaveLength(101)
  expect(pages.get('small', never)).toBe(small)
  expect(() => pages.get('large', never)).toThrow('encoded again')
})

test('a page cache never keeps more bytes than its limit, however many pages pass through it', () => {
  const pages = new PageCache(100)
  for (let index = 0; index < 1000; index += 1) pages.get(String(index), () => Buffer.alloc(30))
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
