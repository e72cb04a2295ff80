import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { TEXT_FORMATS } from '#campaignd/domain/text-format.js'
import { HEADER_FORMATS } from '#campaignd/http/requests/header-format.js'
import { openApp } from '../../support/service/app.js'

interface Schema {
  readonly $ref?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly example?: unknown
  readonly [keyword: string]: unknown
}

interface Media {
  readonly schema?: Schema
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
}

interface Parameter extends Media {
  readonly name: string
  readonly description?: string
}

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly security?: readonly object[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description?: string
        readonly content?: Readonly<Record<string, Media>>
        readonly headers?: Readonly<Record<string, Media & { readonly description?: string }>>
      }
    >
  >
}

interface Document {
  readonly info: { readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const committed = readFileSync(new URL('../../../openapi/openapi.json', import.meta.url), 'utf8')
const document = JSON.parse(committed) as Document
const { schemas } = document.components
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
)

test('the committed OpenAPI document is the one that the routes make', async () => {
  const { app } = await openApp()
  await app.ready()
  expect(`${JSON.stringify(app.swagger(), null, 2)}\n`).toBe(committed)
})

test('the service serves the OpenAPI document', async () => {
  const { call } = await openApp()
  expect((await call('GET', '/openapi.json')).json()).toEqual(document)
})

test('the version of the OpenAPI document is that of the package', () => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as Document['info']
  expect(document.info.version).toBe(version)
})

test('the OpenAPI document has neither an error nor a warning', async () => {
  const report = await lint()
  expect(report.problems).toEqual([])
  expect(report.totals).toMatchObject({ errors: 0, warnings: 0 })
})

test('the schemas have the names of the specification', () => {
  expect(Object.keys(schemas)).toEqual(expect.arrayContaining(['CampaignManifest', 'CampaignManifestEntry']))
})

test('every property of every schema is described', () => {
  const lacking = Object.entries(schemas).flatMap(([name, schema]) =>
    propertiesOf(schema, name).filter(({ property }) => property.$ref === undefined && !isText(property.description)),
  )
  expect(lacking.map(({ at }) => at)).toEqual([])
})

test('every schema is described', () => {
  expect(namesOf(Object.entries(schemas).filter(([, { description }]) => !isText(description)))).toEqual([])
})

test('every operation has an id of its own, a summary, and a description of each parameter and response', () => {
  const lacking = operations.flatMap(({ name, operation }) => [
    ...(isText(operation.operationId) ? [] : [`${name}: operationId`]),
    ...(isText(operation.summary) ? [] : [`${name}: summary`]),
    ...(operation.parameters ?? [])
      .filter(({ description }) => !isText(description))
      .map((parameter) => `${name}: ${parameter.name}`),
    ...Object.entries(operation.responses).flatMap(([status, { description, headers = {} }]) => [
      ...(isText(description) ? [] : [`${name}: ${status}`]),
      ...namesOf(Object.entries(headers).filter(([, header]) => !isText(header.description))).map(
        (header) => `${name}: ${status}: ${header}`,
      ),
    ]),
  ])
  expect(lacking).toEqual([])
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length)
})

test('every request body has an example, its own or that of its schema', () => {
  const lacking = operations.flatMap(({ name, operation }) =>
    Object.values(operation.requestBody?.content ?? {})
      .filter((media) => !hasExample(media) && !hasExample(media.schema) && !hasExample(resolve(media.schema)))
      .map(() => name),
  )
  expect(lacking).toEqual([])
})

test('a body that may be left out is not documented as required', () => {
  const required = operations.filter(({ operation }) => operation.requestBody?.required === true)
  const ids = required.map(({ operation }) => operation.operationId)
  expect(ids).toContain('createCampaign')
  expect(ids.filter((id) => id === 'resumeCampaign' || id === 'retryExperiments')).toEqual([])
})

test('every body and every response in JSON has a schema with a name', () => {
  const contents = operations.flatMap(({ name, operation }) => [
    ...Object.values(operation.requestBody?.content ?? {}).map((media) => ({ at: `${name} body`, media })),
    ...Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
      Object.values(content).map((media) => ({ at: `${name} ${status}`, media })),
    ),
  ])
  const isNamed = ({ schema }: Media) => schema?.$ref !== undefined || schema?.['type'] === 'string'
  expect(contents.filter(({ media }) => !isNamed(media)).map(({ at }) => at)).toEqual([])
  expect(contents.length).toBeGreaterThan(50)
})

test('no call needs a token in every service', () => {
  const asking = operations.filter(({ operation }) => operation.security !== undefined)
  const needed = asking.filter(({ operation: { security = [] } }) =>
    security.every((one) => Object.keys(one).length > 0),
  )
  expect(asking.length).toBeGreaterThan(10)
  expect(needed.map(({ name }) => name)).toEqual([])
})

test('nothing in the document is what generators of clients stumble over', () => {
  const found = { nullsInEnums: [] as string[], timesWithoutFormat: [] as string[], deprecated: [] as string[] }
  walk(document, '', (value, at) => {
    if (Array.isArray(value['enum']) && value['enum'].includes(null)) found.nullsInEnums.push(at)
    if ('deprecated' in value) found.deprecated.push(at)
    // One that needs no offset is no date-time: those of the Python tool, and those of a request.
    if (String(value['pattern']).endsWith('Z$') && value['format'] !== 'date-time') found.timesWithoutFormat.push(at)
  })
  expect(found).toEqual({ nullsInEnums: [], timesWithoutFormat: [], deprecated: [] })
})

test('where one of several schemas is told by a property, the document says by which', () => {
  const unions: string[] = []
  walk(document, '', (value, at) => {
    if (Array.isArray(value['oneOf']) && value['discriminator'] === undefined) unions.push(at)
  })
  expect(unions).toEqual([])
  const { mapping } = schemas['ListedCampaign']?.['discriminator'] as { mapping: Record<string, string> }
  expect(Object.keys(mapping)).toContain('corrupt')
  for (const [state, path] of Object.entries(mapping)) {
    const of = schemas[path.split('/').at(-1) ?? ''] as { properties: { state: { enum: string[] } } }
    expect(of.properties.state.enum).toContain(state)
  }
})

/** Calls a function for each object in a value, with its place. */
function walk(value: unknown, at: string, visit: (value: Record<string, unknown>, at: string) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) visit(value as Record<string, unknown>, at)
  for (const [key, item] of Object.entries(value)) walk(item, `${at}/${key}`, visit)
}

test('every example is valid by its schema', () => {
  const formats = { ...TEXT_FORMATS, ...HEADER_FORMATS, 'date-time': true } as const
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats })
  ajv.addSchema(document, 'openapi')
  const invalid = examples().flatMap(({ at, schema, value }) => {
    const validate = ajv.compile(absolute(schema) as object)
    return validate(value) ? [] : [`${at}: ${ajv.errorsText(validate.errors)}`]
  })
  expect(invalid).toEqual([])
  expect(examples().length).toBeGreaterThan(50)
})

interface Example {
  readonly at: string
  readonly schema: Schema
  readonly value: unknown
}

/** Every example in the document, with the schema that it is one of. */
function examples(): Example[] {
  const ofComponents = Object.entries(schemas).flatMap(([name, schema]) => examplesOfSchema(schema, name))
  const ofOperations = operations.flatMap(({ name, operation }) => [
    ...(operation.parameters ?? []).flatMap((one) => examplesOfMedia(one, `${name} ${one.name}`)),
    ...Object.values(operation.requestBody?.content ?? {}).flatMap((one) => examplesOfMedia(one, `${name} body`)),
    ...Object.entries(operation.responses).flatMap(([status, { content = {}, headers = {} }]) =>
      [...Object.values(content), ...Object.values(headers)].flatMap((one) =>
        examplesOfMedia(one, `${name} ${status}`),
      ),
    ),
  ])
  return [...ofComponents, ...ofOperations]
}

function examplesOfMedia({ schema = {}, example, examples = {} }: Media, at: string): Example[] {
  const own = [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)]
  return [...own.map((value) => ({ at, schema, value })), ...examplesOfSchema(schema, at)]
}

function examplesOfSchema(schema: Schema, at: string): Example[] {
  const own = [...(schema.examples ?? []), ...(schema.example === undefined ? [] : [schema.example])]
  return [
    ...own.map((value) => ({ at, schema, value })),
    ...partsOf(schema).flatMap(([part, below]) => examplesOfSchema(below, `${at}.${part}`)),
  ]
}

/** The properties of a schema, at any depth; a reference is looked at where it leads to. */
function propertiesOf(schema: Schema, at: string): { at: string; property: Schema }[] {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  return [
    ...Object.entries(properties).map(([name, property]) => ({ at: `${at}.${name}`, property })),
    ...partsOf(schema).flatMap(([part, below]) => propertiesOf(below, `${at}.${part}`)),
  ]
}

function partsOf(schema: Schema): [string, Schema][] {
  const named = ['properties', 'patternProperties', '$defs'].flatMap((keyword) =>
    Object.entries((schema[keyword] ?? {}) as Record<string, Schema>),
  )
  const single = ['items', 'additionalProperties', 'not'].flatMap((keyword): [string, Schema][] => {
    const below = schema[keyword]
    return typeof below === 'object' && below !== null ? [[keyword, below as Schema]] : []
  })
  const listed = ['anyOf', 'oneOf', 'allOf', 'prefixItems'].flatMap((keyword) =>
    ((schema[keyword] ?? []) as Schema[]).map((below, index): [string, Schema] => [`${keyword}[${index}]`, below]),
  )
  return [...named, ...single, ...listed]
}

/** The schema with references that hold outside of the document. */
function absolute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(absolute)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      key === '$ref' && typeof item === 'string' ? [key, `openapi${item}`] : [key, absolute(item)],
    ),
  )
}

function resolve(schema: Schema | undefined): Schema | undefined {
  const name = schema?.$ref?.split('/').at(-1)
  return name === undefined ? schema : schemas[name]
}

function hasExample(of: Media | Schema | undefined): boolean {
  return of?.example !== undefined || Object.keys(of?.examples ?? {}).length > 0
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== ''
}

function namesOf(entries: readonly (readonly [string, unknown])[]): string[] {
  return entries.map(([name]) => name)
}

interface LintReport {
  readonly totals: { readonly errors: number; readonly warnings: number }
  readonly problems: readonly unknown[]
}

function lint(): Promise<LintReport> {
  // Neither news nor figures: the test must not depend on a network.
  const env = { ...process.env, CI: 'true', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const args = ['lint', 'openapi/openapi.json', '--format', 'json']
  return new Promise((resolve) => {
    execFile('node_modules/.bin/redocly', args, { cwd: ROOT, env }, (_error, stdout) => {
      resolve(JSON.parse(stdout) as LintReport)
    })
  })
}
