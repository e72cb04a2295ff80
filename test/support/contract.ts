import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>
}

interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const text = readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')

/** The OpenAPI document as it is committed. */
export const openApiDocument = JSON.parse(text) as OpenApiDocument

const ajv = new Ajv2020({ strict: false, allErrors: false })
ajv.addSchema(openApiDocument, 'openapi')

/**
 * Holds an answer against the document: the status and the content type must be declared for the operation, and the
 * body must be as the schema says. An answer on a path that is not documented must be the problem `not-found`.
 */
export function checkAnswer(
  method: string,
  url: string,
  status: number,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): void {
  const [path = ''] = url.split('?')
  expect(headers['x-request-id'], 'x-request-id').toBeTypeOf('string')
  const template = Object.keys(openApiDocument.paths).find((one) => matches(one, path))
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
  const operation = template === undefined ? undefined : openApiDocument.paths[template]?.[verb]
  if (template === undefined || operation === undefined) return
  const declared = operation.responses[String(status)]
  expect(declared, `${method} ${template} answered ${status}, which is not declared: ${body}`).toBeDefined()
  if (method === 'HEAD' || declared?.content === undefined) {
    expect(body).toBe('')
    return
  }
  const [type = ''] = String(headers['content-type']).split(';')
  expect(Object.keys(declared.content), `${method} ${template} ${status}`).toContain(type)
  const schema = ['paths', template, verb, 'responses', String(status), 'content', type, 'schema']
  if (type.endsWith('json')) checkBody(schema, body)
}

/** @throws when the body is not as the schema at the place in the document says */
function checkBody(place: readonly string[], body: string): void {
  const pointer = place
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent)
    .join('/')
  const validate = ajv.getSchema(`openapi#/${pointer}`) ?? ajv.compile({ $ref: `openapi#/${pointer}` })
  if (validate(JSON.parse(body)) !== true) {
    throw new Error(`${place.join(' ')}: ${ajv.errorsText(validate.errors)}: ${body.slice(0, 500)}`)
  }
}

function matches(template: string, path: string): boolean {
  const pattern = template.replace(/\{[^}]+\}/g, '[^/]+')
  return new RegExp(`^${pattern}$`).test(path)
}
