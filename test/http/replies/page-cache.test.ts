import { expect, test } from 'vitest'
import { PageCache } from '#campaignd/http/replies/page-cache.js'

const never = () => {
  throw new Error('encoded again')
}

test('an answer is encoded once, as long as it is among those asked for last', () => {
  const answers = new PageCache(100)
  const [first, second, third] = [Buffer.alloc(40, 1), Buffer.alloc(40, 2), Buffer.alloc(40, 3)]
  answers.get('first', () => first)
  answers.get('second', () => second)
  expect(answers.get('first', never)).toBe(first)
  answers.get('third', () => third)
  expect(answers.get('first', never)).toBe(first)
  expect(answers.get('third', never)).toBe(third)
  expect(() => answers.get('second', never)).toThrow('encoded again')
})

test('one that is larger than all that may be kept is given and not kept', () => {
  const answers = new PageCache(100)
  const small = Buffer.alloc(60)
  answers.get('small', () => small)
  expect(answers.get('large', () => Buffer.alloc(101))).toHaveLength(101)
  expect(answers.get('small', never)).toBe(small)
  expect(() => answers.get('large', never)).toThrow('encoded again')
})

test('what is replaced a thousand times keeps no more than it may', () => {
  const answers = new PageCache(100)
  for (let index = 0; index < 1000; index += 1) answers.get(String(index), () => Buffer.alloc(30))
  const kept = Array.from({ length: 1000 }, (_, index) => String(index)).filter((key) => {
    try {
      answers.get(key, never)
      return true
    } catch {
      return false
    }
  })
  expect(kept).toEqual(['997', '998', '999'])
})
