import fc from 'fast-check'
import { type JsonSchema, openApiDocument } from '../../support/http/open-api-document.js'

/** Longest text and list that are made up, but for texts of just the length that is allowed. */
const LONG = 30
const MANY = 4

const TIME_PATTERN = '\\d{4}-\\d{2}-\\d{2}'
const MIN_TIME = new Date('1971-01-01T00:00:00Z')
const MAX_TIME = new Date('2099-12-31T00:00:00Z')

const known = new WeakMap<JsonSchema, fc.Arbitrary<unknown>>()

/** Values that the schema allows. */
export function valuesOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const values = known.get(schema) ?? made(schema)
  known.set(schema, values)
  return values
}

function made(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const named = openApiDocument.components.schemas[schema.$ref.split('/').at(-1) ?? '']
    if (named === undefined) throw new Error(`the document has no schema ${schema.$ref}`)
    return valuesOf(named)
  }
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(valuesOf))
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const types = [schema.type ?? 'object'].flat()
  return fc.oneof(...types.map((type) => ofType(type, schema)))
}

function ofType(type: string, schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({
        min: schema.minimum ?? Number.MIN_SAFE_INTEGER,
        max: schema.maximum ?? Number.MAX_SAFE_INTEGER,
      })
    case 'number':
      // A larger one is refused wherever it stands, since it may have lost digits.
      return fc.double({
        min: schema.minimum ?? Number.MIN_SAFE_INTEGER,
        max: schema.maximum ?? Number.MAX_SAFE_INTEGER,
        noNaN: true,
      })
    case 'string':
      return texts(schema)
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? MANY, MANY),
      })
    case 'object':
      return objects(schema)
    default:
      throw new Error(`there are no values of the type ${type}`)
  }
}

function texts({ pattern, minLength = 0, maxLength = LONG }: JsonSchema): fc.Arbitrary<string> {
  if (pattern?.includes(TIME_PATTERN) === true) return times(pattern)
  if (pattern !== undefined) return matching(pattern, maxLength)
  const size = { minLength, maxLength: Math.min(maxLength, LONG) }
  return fc.oneof(
    { weight: 10, arbitrary: fc.string(size) },
    { weight: 5, arbitrary: fc.string({ ...size, unit: 'binary' }) },
    { weight: 1, arbitrary: fc.constantFrom('x', '\u{10ffff}').map((character) => character.repeat(maxLength)) },
  )
}

/** fast-check makes no texts of an expression that looks ahead: of those nearly all texts match. */
function matching(pattern: string, maxLength: number): fc.Arbitrary<string> {
  if (!pattern.includes('(?!')) return fc.stringMatching(new RegExp(pattern))
  const expression = new RegExp(pattern, 'u')
  const text = fc.string({ minLength: 1, maxLength: Math.min(maxLength, LONG), unit: 'grapheme' })
  return text.filter((one) => expression.test(one))
}

/** The pattern allows a thirteenth month: few of those, since no call is answered with a 2xx that has one. */
function times(pattern: string): fc.Arbitrary<string> {
  const isUtc = pattern.endsWith('Z$')
  const zone = isUtc ? fc.constant('Z') : fc.constantFrom('Z', '', '+02:00', '-1130', 'z')
  const real = fc
    .tuple(fc.date({ min: MIN_TIME, max: MAX_TIME, noInvalidDate: true }), zone, fc.boolean())
    .map(([date, end, whole]) => `${date.toISOString().slice(0, whole ? 19 : 23)}${end}`)
  return fc.oneof({ weight: 60, arbitrary: real }, { weight: 1, arbitrary: fc.stringMatching(new RegExp(pattern)) })
}

function objects({ properties = {}, required = [], additionalProperties = false }: JsonSchema): fc.Arbitrary<unknown> {
  const values = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema)]))
  const declared = fc.record(values, { requiredKeys: [...required] })
  if (typeof additionalProperties === 'boolean') return declared
  const more = fc.dictionary(fc.string({ minLength: 1, maxLength: LONG }), valuesOf(additionalProperties), {
    maxKeys: MANY,
    noNullPrototype: true,
  })
  return fc.tuple(declared, more).map(([some, others]) => ({ ...others, ...some }))
}
