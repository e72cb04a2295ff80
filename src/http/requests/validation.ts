import { AjvCompiler } from '@fastify/ajv-compiler'
import type { FastifySchemaValidationError, FastifyServerOptions } from 'fastify'
import { jsonPointer } from '../../domain/errors.ts'

export interface LocatedError {
  readonly in?: 'query' | 'path' | 'header'
  readonly pointer: string
  readonly detail: string
}

/**
 * Bodies are accepted unchanged or refused: a validator that coerces turns null into "" and 0, and one that removes lets unknown
 * keys vanish with a 200. Queries and paths are text, so they are coerced to numbers and booleans.
 * The first error is enough: collecting all errors of a hostile body has no upper cost. The tests check the schemas themselves:
 * at each start that would take too long.
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

const PARTS: Readonly<Record<string, LocatedError['in']>> = { querystring: 'query', params: 'path', headers: 'header' }

/** The validator's errors, with JSON pointers to the fields. */
export function fieldErrors(
  errors: readonly FastifySchemaValidationError[],
  context: string | undefined,
): LocatedError[] {
  const place = context === undefined ? undefined : PARTS[context]
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
