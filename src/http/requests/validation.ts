import { AjvCompiler } from '@fastify/ajv-compiler'
import type { FastifyServerOptions } from 'fastify'

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
