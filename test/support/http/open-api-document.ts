import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { TEXT_FORMATS } from '#campaignd/domain/text-format.js'
import { repositoryText } from '../readme.js'

type Limit = 'minLength' | 'maxLength' | 'minimum' | 'maximum' | 'minItems' | 'maxItems'

/** A JSON schema, with the keywords that the document uses. */
export interface JsonSchema extends Readonly<Partial<Record<Limit, number>>> {
  readonly $ref?: string
  readonly anyOf?: readonly JsonSchema[]
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly items?: JsonSchema
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
}

export type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>

export interface Parameter {
  readonly in: 'path' | 'query' | 'header'
  readonly name: string
  readonly required: boolean
  readonly schema: JsonSchema
}

export interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>
}

interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

/** A response, from a connection or from `inject`. */
export interface DocumentedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** The OpenAPI document as it is committed. */
export const openApiDocument = JSON.parse(repositoryText('openapi/openapi.json')) as OpenApiDocument

/** Whether it is a time of the calendar; its pattern says how it is written. */
const isTime = (text: string) => !Number.isNaN(Date.parse(text))

const ajv = new Ajv2020({ strict: false, allErrors: false, formats: { ...TEXT_FORMATS, 'date-time': isTime } })
ajv.addSchema(openApiDocument, 'openapi')

const templates = Object.keys(openApiDocument.paths).map((template) => ({
  template,
  pattern: new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`),
}))

/** The operation of a method and a path, and its keys in the document; undefined when there is none. */
export function operationAt(method: string, path: string) {
  const template = templates.find(({ pattern }) => pattern.test(path))?.template
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
  const operation = template === undefined ? undefined : openApiDocument.paths[template]?.[verb]
  return template === undefined || operation === undefined ? undefined : { operation, template, verb }
}

/**
 * How a response differs from the document: its status and content type must be declared for the operation, and its body must match
 * the schema. A path that is not documented needs only the id of the request.
 */
export function problemsOfAnswer(method: string, url: string, { status, headers, body }: DocumentedAnswer): string[] {
  const missing = typeof headers['x-request-id'] === 'string' ? [] : ['it has no x-request-id']
  const [path = ''] = url.split('?')
  const found = operationAt(method, path)
  if (found === undefined) return missing
  const { operation, template, verb } = found
  const declared = operation.responses[String(status)]
  if (declared === undefined) return [...missing, `${status} is not declared for ${method} ${template}: ${body}`]
  if (method === 'HEAD' || declared.content === undefined) {
    return body === '' ? missing : [...missing, `${method} ${template} ${status} has a body: ${body}`]
  }
  const [type = ''] = String(headers['content-type']).split(';')
  if (!(type in declared.content)) return [...missing, `${type} is not declared for ${method} ${template} ${status}`]
  if (!type.endsWith('json')) return missing
  return [...missing, ...problemsOfBody([template, verb, 'responses', String(status), 'content', type, 'schema'], body)]
}

/** How the data of an event differs from the document. */
export function problemsOfEvent(template: string, data: string): string[] {
  return problemsOfBody([template, 'get', 'responses', '200', 'content', 'text/event-stream', 'schema'], data)
}

function problemsOfBody(place: readonly string[], body: string): string[] {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return [`${place.join(' ')}: it is not JSON: ${body.slice(0, 500)}`]
  }
  const validate = validatorAt(place)
  if (validate(value)) return []
  return [`${place.join(' ')}: ${ajv.errorsText(validate.errors)}: ${body.slice(0, 500)}`]
}

function validatorAt(place: readonly string[]): ValidateFunction {
  const pointer = ['paths', ...place]
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent)
    .join('/')
  return ajv.getSchema(`openapi#/${pointer}`) ?? ajv.compile({ $ref: `openapi#/${pointer}` })
}
