import { expect, test } from 'vitest'
import { PageCache } from '#campaignd/http/replies/page-cache.js'

const KIB = 1024

const never = () => {
  throw new Error('encoded again')
}

test('a cached page is encoded once, as long as it is among the most recently used', async () => {
  const pages = new PageCache(100 * KIB)
  const page = (content: number) => Buffer.alloc(40 * KIB, content)
  const [first, second, third] = [page(1), page(2), page(3)]
  await pages.get('first', () => first)
  await pages.get('second', () => second)
  expect(await pages.get('first', never)).toBe(first)
  await pages.get('third', () => third)
  expect(await pages.get('first', never)).toBe(first)
  expect(await pages.get('third', never)).toBe(third)
  await expect(pages.get('second', never)).rejects.toThrow('encoded again')
})

test('a page larger than the whole cache is returned and not kept, and evicts nothing', async () => {
  const pages = new PageCache(100 * KIB)
  const small = Buffer.alloc(60 * KIB)
  await pages.get('small', () => small)
  expect(await pages.get('large', () => Buffer.alloc(101 * KIB))).toHaveLength(101 * KIB)
  expect(await pages.get('small', never)).toBe(small)
  await expect(pages.get('large', never)).rejects.toThrow('encoded again')
})

test('a page cache never keeps more bytes than its limit, however many pages pass through it', async () => {
  const pages = new PageCache(100 * KIB)
  for (let index = 0; index < 1000; index += 1) await pages.get(String(index), () => Buffer.alloc(30 * KIB))
  const kept: string[] = []
  for (let index = 0; index < 1000; index += 1) {
    const isKept = await pages.get(String(index), never).then(
      () => true,
      () => false,
    )
    if (isKept) kept.push(String(index))
  }
  expect(kept).toEqual(['997', '998', '999'])
})

test('long queries take the room of pages: they are kept with them', async () => {
  const pages = new PageCache(100 * KIB)
  const page = Buffer.alloc(KIB)
  const keyOf = (index: number) => `${index} ${'q'.repeat(8 * KIB)}`
  for (let index = 0; index < 20; index += 1) await pages.get(keyOf(index), () => page)
  expect(await pages.get(keyOf(19), never)).toBe(page)
  await expect(pages.get(keyOf(10), never)).rejects.toThrow('encoded again')
})

test('a page that takes long is encoded once for all that ask meanwhile, and again when that failed', async () => {
  const pages = new PageCache(100 * KIB)
  const page = Buffer.alloc(KIB)
  const failing = pages.get('page', () => Promise.reject(new Error('stopping')))
  await expect(Promise.all([failing, pages.get('page', never)])).rejects.toThrow('stopping')
  const later = new Promise<Buffer>((resolve) => {
    setImmediate(resolve, page)
  })
  const asked = [pages.get('page', () => later), pages.get('page', never), pages.get('page', never)]
  expect(await Promise.all(asked)).toEqual([page, page, page])
  expect(await pages.get('page', never)).toBe(page)
})
