import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { atOnce } from '#campaignd/domain/long-work.js'
import { parseLarge } from '#campaignd/runtime/json/large-json.js'

const LONG = 70_000

/** The value, or the message of the error. */
function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

function expectSame(json: string): void {
  const large = outcome(() => atOnce(parseLarge(Buffer.from(json))).value)
  const whole = outcome(() => JSON.parse(json) as unknown)
  expect(large).toStrictEqual(whole)
  // What toStrictEqual does not compare: the order of keys, and what is named __proto__.
  expect(JSON.stringify(large)).toBe(JSON.stringify(whole))
}

const items = (count: number, item = '{"id":"0001","text":"größer \\"x\\" \\\\ 🎈","n":[1,2.5,-3e2,null,true]}') =>
  Array.from({ length: count }, () => item).join(', ')

const VALID: Readonly<Record<string, string>> = {
  'a list of small items': `{"a": 1, "list": [${items(3000)}], "b": {}}`,
  'a list at the top': `\n[${items(3000)}]\r\n`,
  'lists in lists': `[[${items(1500)}],[[[${items(1500)}]]],[],{}]`,
  'long strings': `["${'x'.repeat(LONG)}","${'\\\\\\"'.repeat(LONG)}","${'ü🎈'.repeat(LONG)}"]`,
  'one long string': `"${'x'.repeat(3 * LONG)}"`,
  'one long number': `1${'0'.repeat(2 * LONG)}`,
  'a key given twice': `{"list":[${items(2000)}],"list":[1],"b":1,"list":[${items(2000)}]}`,
  'a long value given again': `{"a":[${items(2000)}],"b":1,"a":2}`,
  'keys that are numbers': `{"b":{"10":[${items(2000)}],"2":1,"x":0},"1":[${items(2000)}]}`,
  'a key named __proto__': `{"__proto__":[${items(2000)}],"a":{"__proto__":1}, "c":[${items(2000)}]}`,
  'many members': `{${Array.from({ length: 9000 }, (_, index) => `"key ${index % 8000}":${index}`).join(',')}}`,
  'much white space': `${' '.repeat(LONG)}[${'\n'.repeat(LONG)}1${'\t'.repeat(LONG)},${' '.repeat(LONG)}{}${' '.repeat(LONG)}]${'\r'.repeat(LONG)}`,
  'a long empty list': `{"a":[${' '.repeat(2 * LONG)}]}`,
}

test.each(Object.entries(VALID))('%s: the same value', (_name, json) => {
  expectSame(json)
})

const LIST = `{"a":[${items(1500)}],"b":[${items(1500)}]}`

const MALFORMED: Readonly<Record<string, string>> = {
  'no end': LIST.slice(0, -1),
  'no end of a list': LIST.slice(0, -2),
  'cut within a string': LIST.slice(0, -30),
  'cut in the middle': LIST.slice(0, LIST.length / 2),
  'something behind it': `${LIST} x`,
  'a comma behind it': `${LIST} ,`,
  'much behind it': `${LIST} ${'x'.repeat(LONG)}`,
  'another behind it': `${LIST}${LIST}`,
  'a comma before the end': LIST.replace(/\]\}$/, ',]}'),
  'a comma before the end of an object': LIST.replace(/\]\}$/, '],}'),
  'two commas': LIST.replace('}],"b"', '},,1],"b"'),
  'a comma at the begin': LIST.replace('"b":[', '"b":[,'),
  'a wrong bracket': LIST.replace('}],"b"', '}},"b"'),
  'no comma after a long list': LIST.replace('],"b"', '] "b"'),
  'a bracket after a long list': LIST.replace('],"b"', '] [],"b"'),
  'no colon': LIST.replace('"b":', '"b"'),
  'a number before a list': LIST.replace('"b":', '"b":1'),
  'a minus before a list': LIST.replace('"b":', '"b":-'),
  'no key': LIST.replace('"b":', ''),
  'a bad escape': LIST.replace(/(.{400})$/s, '"\\x$1'),
  'a control character': LIST.replace(/größer([^ö]*)$/, 'gr\u0001$1'),
  'a word': LIST.replace(/null(.{60,80})$/su, 'nuul$1'),
  'a word in the middle': `{"a":[${items(1500)}, nul, ${items(1500)}]}`,
  'line breaks before': `{"a":\r\n[\n\r${items(1500)},\n x ${items(1500)}]}`,
  'after a short item behind a long one': `{"a":[[${items(1500)}],1,x]}`,
  'two values at the top': `1,[${items(1500)}]`,
  'a long string without end': `["${'x'.repeat(2 * LONG)}`,
  'brackets without end': '['.repeat(LONG),
}

test.each(Object.entries(MALFORMED))('%s: the same error', (_name, json) => {
  expect(() => JSON.parse(json) as unknown).toThrow()
  expectSame(json)
})

describe('of any text', () => {
  const values = fc.json({ maxDepth: 6 })
  const texts = fc.array(
    fc.oneof(
      values,
      values.map((json) => `[${json},${items(800)}]`),
    ),
    { minLength: 2, maxLength: 6 },
  )
  const list = texts.map((jsons) => `{"a":[${jsons.join(',')}],"b":[${items(900)},${jsons.join(',')}]}`)

  test('the same value', () => {
    fc.assert(fc.property(list, expectSame), { numRuns: 60 })
  })

  test('the same error where a character is another, is missing or is added', () => {
    const edits = fc.tuple(
      list,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(...Array.from('[]{},:"\\0x -\n')),
      fc.nat(2),
    )
    fc.assert(
      fc.property(edits, ([json, place, character, kind]) => {
        const at = Math.floor(place * json.length)
        expectSame(`${json.slice(0, at)}${kind === 2 ? '' : character}${json.slice(kind === 0 ? at : at + 1)}`)
      }),
      { numRuns: 200 },
    )
  })
})
