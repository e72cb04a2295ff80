import { AjvCompiler } from '@fastify/ajv-compiler'
import type { FastifySchemaValidationError, FastifyServerOptions } from 'fastify'
import { jsonPointer } from '../../domain/errors.ts'

export interface LocatedError {
  readonly in?: 'query' | 'path' | 'header'
  readonly pointer: string
  readonly detail: string
}

/**
 * Bodies are taken as they are or not at all: a validator that coerces turned null into "" and 0, and one that removes
 * let unknown keys vanish with a 200. Queries and paths are text, and have to be read as numbers and truth values.
 * One error is enough: to collect all of a hostile body costs what its sender likes. The schemas themselves are checked by
 * the tests: checking them at each start cost 0.4 of its 1.5 s.
 */
const COMMON = {
  removeAdditional: false,
  useDefaults: false,
  allErrors: false,
  allowUnionTypes: true,
  validateSchema: false,
} as const

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>

export const schemaController: SchemaController = {
  compilersFactory: {
    buildValidator: (externalSchemas: unknown) => {
      const compiler = AjvCompiler()
      const body = compiler(externalSchemas as never, { customOptions: { ...COMMON, coerceTypes: false } })
      const text = compiler(externalSchemas as never, { customOptions: { ...COMMON, coerceTypes: 'array' } })
      return ((route: { httpPart?: string }) => (route.httpPart === 'body' ? body : text)(route)) as never
    },
  },
}

const PLACES: Readonly<Record<string, LocatedError['in']>> = { querystring: 'query', params: 'path', headers: 'header' }

/** What the validator found, as JSON pointers to the very field. */
export function fieldErrors(
  errors: readonly FastifySchemaValidationError[],
  context: string | undefined,
): LocatedError[] {
  const place = context === undefined ? undefined : PLACES[context]
  return errors.map((error) => ({ ...(place === undefined ? {} : { in: place }), ...fieldError(error) }))
}

function fieldError({ keyword, instancePath, params, message }: FastifySchemaValidationError): LocatedError {
  const { additionalProperty, missingProperty, allowedValues } = params
  if (keyword === 'additionalProperties' && typeof additionalProperty === 'string') {
    return { pointer: `${instancePath}${jsonPointer(additionalProperty)}`, detail: 'is not a known field' }
  }
  if (keyword === 'required' && typeof missingProperty === 'string') {
    return { pointer: `${instancePath}${jsonPointer(missingProperty)}`, detail: 'is required' }
  }
  if (keyword === 'enum' && Array.isArray(allowedValues)) {
    return { pointer: instancePath, detail: `must be one of ${allowedValues.join(', ')}` }
  }
  return { pointer: instancePath, detail: message ?? 'is not valid' }
}
