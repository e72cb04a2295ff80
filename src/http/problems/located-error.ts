import { type Static, Type } from '@sinclair/typebox'
import type { FastifySchemaValidationError } from 'fastify'
import { jsonPointer } from '../../domain/errors.ts'
import { StrictObject, StringEnum } from '../../domain/schema.ts'
import { faultOfText } from '../../domain/text-format.ts'

/** A field at fault, in any part of the request. */
export const LocatedError = StrictObject({
  in: Type.Optional(StringEnum(['query', 'path', 'header'], { description: 'Absent: the field is in the body' })),
  pointer: Type.String({ description: 'JSON pointer (RFC 6901) to the field', examples: ['/experiments/0/exp_id'] }),
  detail: Type.String({ description: 'What is wrong with it', examples: ['is required'] }),
})

export type LocatedError = Static<typeof LocatedError>

const PARTS: Readonly<Record<string, LocatedError['in']>> = { querystring: 'query', params: 'path', headers: 'header' }

/** The errors of the validator, with JSON pointers to the fields. */
export function fieldErrors(
  errors: readonly FastifySchemaValidationError[],
  context: string | undefined,
): LocatedError[] {
  const part = context === undefined ? undefined : PARTS[context]
  return errors.filter(saysWhy).map((error) => ({ ...(part === undefined ? {} : { in: part }), ...fieldError(error) }))
}

/** False for what says once more that another error is there: that a key is refused, or a value that could be null as well. */
function saysWhy({ keyword, schemaPath }: FastifySchemaValidationError): boolean {
  return keyword !== 'propertyNames' && keyword !== 'anyOf' && !/\/anyOf\/[1-9]/.test(schemaPath)
}

/** With `verbose` AJV adds the value and the schema that refuses it; of a key, the key. */
type VerboseError = FastifySchemaValidationError & {
  readonly data?: unknown
  readonly parentSchema?: { readonly format?: unknown; readonly examples?: readonly unknown[] }
  readonly propertyName?: string
}

/** Characters of a pointer: keys of the body stand in it, which may have megabytes. */
const MAX_POINTER = 1024

function fieldError(error: VerboseError): LocatedError {
  const { pointer, detail } = faultIn(error)
  return { pointer: pointer.length > MAX_POINTER ? `${pointer.slice(0, MAX_POINTER)}…` : pointer, detail }
}

function faultIn(error: VerboseError): LocatedError {
  const { keyword, instancePath, params, message, propertyName } = error
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
  const pointer = propertyName === undefined ? instancePath : `${instancePath}${jsonPointer(propertyName)}`
  const fault =
    keyword === 'format' || keyword === 'pattern' ? faultOfText(error.parentSchema?.format, error.data) : null
  return { pointer, detail: fault ?? likeExamples(error) ?? message?.replace(/,null$/, ' or null') ?? 'is not valid' }
}

/** A pattern says nothing to people; a plus sign that was not encoded in a URL arrives as a blank. */
function likeExamples({ keyword, parentSchema, data }: VerboseError): string | null {
  const examples = parentSchema?.examples ?? []
  if (keyword !== 'pattern' || examples.length === 0) return null
  const hint = typeof data === 'string' && / \d{2}:?\d{2}$/.test(data) ? '; in a URL + is %2B' : ''
  return `must look like ${examples.map((one) => JSON.stringify(one)).join(' or ')}${hint}`
}
