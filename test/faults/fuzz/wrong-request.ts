import fc from 'fast-check'
import { getIn, updateIn } from 'immutable'
import { chance, type Draw } from '../seed.js'
import { bodyOf, type FuzzedOperation, type FuzzRequest } from './fuzz-request.js'
import { anyJson, headerText } from './valid-request.js'

type Place = readonly (string | number)[]

type Change = (draw: Draw, request: FuzzRequest) => FuzzRequest

const WRONG_IDS = ['none', '0', '..', 'UPPER', '%2e%2e', 'a/b', 'a\0', 'a.json', 'x'.repeat(64), 'x'.repeat(300)]
const WRONG_TEXTS = ['', '-1', 'NaN', '1e9', 'true', 'null', '9'.repeat(30), 'x'.repeat(5000), '\0']

const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }))

/** The request with one thing changed, which may make it a wrong one. */
export function nearlyValid(draw: Draw, request: FuzzRequest): FuzzRequest {
  const changes: Change[] = [wrongQuery, wrongHeader]
  if (Object.keys(request.path).length > 0) changes.push(wrongId)
  if (request.body !== undefined)
    changes.push(wrongValue, wrongValue, wrongValue, lostKey, lostKey, unknownKey, cutShort)
  return draw(fc.constantFrom(...changes))(draw, request)
}

function wrongId(draw: Draw, request: FuzzRequest): FuzzRequest {
  const name = draw(fc.constantFrom(...Object.keys(request.path)))
  return { ...request, path: { ...request.path, [name]: draw(fc.constantFrom(...WRONG_IDS)) } }
}

function wrongQuery(draw: Draw, request: FuzzRequest): FuzzRequest {
  const name = draw(fc.constantFrom(...namesIn('query', request.operation), 'unknown', '__proto__'))
  const value = draw(fc.constantFrom<unknown>(...WRONG_TEXTS, ['a', 'b']))
  return { ...request, query: { ...request.query, [name]: value } }
}

function wrongHeader(draw: Draw, request: FuzzRequest): FuzzRequest {
  const [name, value] = draw(
    fc.constantFrom<[string, string]>(
      ['content-type', 'text/plain'],
      ['content-type', 'application/json; charset=utf-16'],
      ['content-encoding', 'gzip'],
      ['if-match', '"none"'],
      ['if-match', 'nonsense'],
      ['if-none-match', 'W/"'],
      ['idempotency-key', ''],
      ['idempotency-key', 'x'.repeat(256)],
      ['last-event-id', 'x'.repeat(129)],
      ['host', 'evil.example'],
      ['accept', 'text/nothing'],
      ['origin', 'https://evil.example'],
      ['x-request-id', '{}'],
    ),
  )
  return { ...request, headers: { ...request.headers, [name]: value } }
}

function wrongValue(draw: Draw, request: FuzzRequest): FuzzRequest {
  const place = draw(fc.constantFrom(...placesIn(request.body)))
  return { ...request, body: updateIn(request.body, place, () => draw(anyJson)) }
}

function lostKey(draw: Draw, request: FuzzRequest): FuzzRequest {
  const places = placesIn(request.body).filter((place) => typeof place.at(-1) === 'string')
  if (places.length === 0) return { ...request, body: undefined }
  return { ...request, body: updateIn(request.body, draw(fc.constantFrom(...places)), () => undefined) }
}

function unknownKey(draw: Draw, request: FuzzRequest): FuzzRequest {
  const objects = placesIn(request.body).filter((place) => isObject(getIn(request.body, place)))
  if (objects.length === 0) return wrongValue(draw, request)
  const name = draw(fc.constantFrom('unknown', 'constructor', 'toString', ''))
  const place = draw(fc.constantFrom(...objects))
  const withMember = (value: unknown) => ({ ...(value as object), [name]: draw(anyJson) })
  return { ...request, body: updateIn(request.body, place, withMember) }
}

function cutShort(draw: Draw, request: FuzzRequest): FuzzRequest {
  const text = bodyOf(request) ?? ''
  return { ...request, rawBody: text.slice(0, draw(fc.nat(text.length))) }
}

function placesIn(value: unknown, at: Place = []): Place[] {
  if (Array.isArray(value)) return [at, ...value.flatMap((item, index) => placesIn(item, [...at, index]))]
  if (!isObject(value)) return [at]
  return [at, ...Object.entries(value).flatMap(([key, item]) => placesIn(item, [...at, key]))]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A request of the same operation of which hardly anything is as the document has it. */
export function garbageRequest(draw: Draw, known: FuzzRequest): FuzzRequest {
  const { operation } = known
  const named = (place: string) => namesIn(place, operation)
  const texts = (names: readonly string[]) =>
    draw(
      fc.dictionary(fc.oneof(anyText, fc.constantFrom('x', ...names)), anyText, { maxKeys: 4, noNullPrototype: true }),
    )
  // With an id that is known it gets beyond the question whether there is one.
  const path = chance(draw, 60)
    ? known.path
    : Object.fromEntries(Object.keys(known.path).map((name) => [name, draw(anyText).toWellFormed()]))
  const headers = named('header')
    .filter(() => chance(draw, 50))
    .map((name): [string, string] => [name, headerText(draw(anyText))])
  return {
    operation,
    path,
    query: chance(draw, 50) ? texts(named('query')) : {},
    headers: Object.fromEntries(headers),
    ...(operation.method === 'GET' && chance(draw, 90) ? { body: undefined } : garbageBody(draw, known.body)),
  }
}

function garbageBody(draw: Draw, known: unknown): Pick<FuzzRequest, 'body' | 'rawBody'> {
  const keys = typeof known === 'object' && known !== null ? Object.keys(known) : []
  const like = fc.dictionary(fc.constantFrom('x', ...keys), anyJson, { maxKeys: 6, noNullPrototype: true })
  if (chance(draw, 30)) return { body: undefined, rawBody: draw(anyText).toWellFormed() }
  return { body: draw(fc.oneof(like, anyJson)) }
}

function namesIn(place: string, { parameters = [] }: FuzzedOperation): string[] {
  return parameters.filter((one) => one.in === place).map(({ name }) => name)
}
