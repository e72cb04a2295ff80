import { AjvCompiler } from '@fastify/ajv-compiler'
import type { FuncKeywordDefinition, SchemaValidateFunction } from 'ajv'
import type { FastifyServerOptions } from 'fastify'
import { FREE_TEXT } from '../../domain/schema.ts'
import { TEXT_FORMATS } from '../../domain/text-format.ts'
import { HEADER_FORMATS } from './header-format.ts'
import { inSlices, type StoppingValidator, type Validator } from './long-lists.ts'

/** No report is refused for a byte of a log: half of a surrogate pair in a free text is replaced by U+FFFD. */
const replaceLoneSurrogates: SchemaValidateFunction = (_schema, text: string, _parent, place) => {
  if (place === undefined || text.isWellFormed()) return true
  const parent = place.parentData as Record<string | number, unknown>
  parent[place.parentDataProperty] = text.toWellFormed()
  return true
}

const FREE_TEXT_KEYWORD: FuncKeywordDefinition = {
  keyword: FREE_TEXT,
  type: 'string',
  schemaType: 'boolean',
  modifying: true,
  errors: false,
  validate: replaceLoneSurrogates,
}

/**
 * Bodies are accepted unchanged or refused: a validator that coerces turns null into "" and 0, and one that removes lets unknown
 * keys vanish with a 200. Queries and paths are text, so they are coerced to numbers and booleans.
 * Only the first error is reported: collecting all errors of a hostile body has no upper cost. The schemas are checked by the
 * tests, which would slow each start.
 */
const COMMON = {
  removeAdditional: false,
  useDefaults: false,
  allErrors: false,
  allowUnionTypes: true,
  validateSchema: false,
  // Errors with the value and its schema: a refusal of a format says what is wrong with the text.
  verbose: true,
  formats: { ...TEXT_FORMATS, ...HEADER_FORMATS },
} as const

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>
interface Part {
  readonly schema: unknown
  readonly httpPart?: string
}
type Compile = (part: Part) => Validator
type KeepingCompile = (part: Part) => StoppingValidator

const buildCompiler = AjvCompiler()

/** One for each set of named schemas. They are constants: their names tell the sets apart. */
const compilers = new Map<string, KeepingCompile>()

/**
 * Fastify asks for a compiler once a plugin that adds routes, and has the schemas of each route compiled. Most are alike: what is
 * compiled is kept for the life of the process.
 */
export function schemaController(stopping: AbortSignal): SchemaController {
  return {
    compilersFactory: {
      buildValidator: (namedSchemas: unknown) => {
        const names = Object.keys(namedSchemas as object).join(' ')
        const compile = compilers.get(names) ?? keepingCompiler(namedSchemas)
        compilers.set(names, compile)
        return ((part: Part) => compile(part)(stopping)) as never
      },
    },
  }
}

function keepingCompiler(namedSchemas: unknown): KeepingCompile {
  const compiler = (coerceTypes: false | 'array') => {
    const customOptions = { ...COMMON, keywords: [FREE_TEXT_KEYWORD], coerceTypes }
    return buildCompiler(namedSchemas as never, { customOptions }) as Compile
  }
  const [body, text] = [compiler(false), compiler('array')]
  const validators = new Map<string, StoppingValidator>()
  const compileBody: KeepingCompile = (route) => {
    const { $ref } = route.schema as { readonly $ref?: string }
    const schema = $ref === undefined ? route.schema : (namedSchemas as Record<string, unknown>)[$ref]
    return inSlices(body(route), schema as object, (part) => body({ ...route, schema: part }))
  }
  const compileText: KeepingCompile = (route) => {
    const validator = text(route)
    return () => validator
  }
  return (route) => {
    const isBody = route.httpPart === 'body'
    const key = `${isBody} ${JSON.stringify(route.schema)}`
    const validator = validators.get(key) ?? (isBody ? compileBody(route) : compileText(route))
    validators.set(key, validator)
    return validator
  }
}
