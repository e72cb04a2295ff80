import fc from 'fast-check'
import { chance, type Draw, type FuzzedOperation, type FuzzRequest } from './fuzz-request.js'
import { anyJson, headerText } from './valid-request.js'

const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ maxLength: 40 }))

/** A request of the operation of which hardly anything is as the document has it. */
export function garbageRequest(draw: Draw, operation: FuzzedOperation, known: FuzzRequest): FuzzRequest {
  const named = (place: string) =>
    (operation.parameters ?? []).filter((one) => one.in === place).map(({ name }) => name)
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
