import fc from 'fast-check'
import type { Parameter } from '../../support/http/open-api-document.js'
import { chance, type Draw } from '../seed.js'
import type { FuzzedOperation, FuzzRequest } from './fuzz-request.js'
import { valuesOf } from './schema-values.js'

/** How many of a hundred requests have a parameter or a body that they may have. */
const OPTIONAL = 40

export function validRequest(draw: Draw, operation: FuzzedOperation): FuzzRequest {
  const drawn = (place: Parameter['in']) =>
    Object.fromEntries(
      (operation.parameters ?? [])
        .filter((one) => one.in === place && (one.required || chance(draw, OPTIONAL)))
        .map(({ name, schema }) => [name, draw(valuesOf(schema))]),
    )
  const { requestBody } = operation
  const schema = requestBody?.content['application/json']?.schema
  const hasBody = schema !== undefined && (requestBody?.required === true || chance(draw, OPTIONAL))
  return {
    operation,
    path: asTexts(drawn('path'), (text) => text),
    query: drawn('query'),
    headers: asTexts(drawn('header'), headerText),
    body: hasBody ? draw(valuesOf(schema)) : undefined,
  }
}

/** What of a text a header can carry. */
export function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e\x80-\xff]/g, '~')
}

function asTexts(values: Readonly<Record<string, unknown>>, read: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, read(String(value))]))
}

export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(
    null,
    '',
    '\0',
    '\ud800',
    'x'.repeat(5000),
    -1,
    0.5,
    2 ** 53,
    Number.MAX_VALUE,
    [],
    {},
    true,
  ),
)
