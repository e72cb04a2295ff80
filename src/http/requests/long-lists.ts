import type { FastifySchemaValidationError } from 'fastify'
import { isBreak, type LongWork } from '../../domain/long-work.ts'
import { inTurns } from '../../runtime/turns.ts'

/** Items of a list up to which a body is checked in one go. */
const FEW = 1000

type Errors = readonly FastifySchemaValidationError[]

/** As AJV makes them, and Fastify calls them. */
export interface Validator {
  (value: unknown, place?: unknown): unknown
  errors?: Errors | null | undefined
}

interface BodySchema {
  readonly $id?: string
  readonly properties?: Readonly<Record<string, ListSchema>>
}

interface ListSchema {
  readonly type?: unknown
  readonly items?: object
  readonly maxItems?: number
}

/** A body whose list may be long, and how its parts are checked. */
interface LongList {
  readonly key: string
  /** All properties, in the order in which they are checked. */
  readonly keys: readonly string[]
  /** Of the body without the items of the list. */
  readonly ofRest: Validator
  readonly ofItem: Validator
}

/** What Fastify makes the refusal of. */
class InvalidBody extends Error {
  constructor(readonly validation: Errors) {
    super('the body is not valid')
  }
}

/** What is compiled is kept for the life of the process; each service stops by itself. */
export type StoppingValidator = (stopping: AbortSignal) => Validator

/**
 * A validator like the one of the schema, which checks a long list in slices: its result is then a promise, which rejects when the
 * service stops.
 */
export function inSlices(
  validator: Validator,
  schema: object,
  compile: (schema: object) => Validator,
): StoppingValidator {
  const { $id: _id, ...body } = schema as BodySchema
  const { properties = {} } = body
  const found = Object.entries(properties).find(([, { type, maxItems = 0 }]) => type === 'array' && maxItems > FEW)
  if (found === undefined) return () => validator
  const [key, { items = {}, ...list }] = found
  const ofRest = compile({ ...body, properties: { ...properties, [key]: list } })
  const parts = { key, keys: Object.keys(properties), ofRest, ofItem: compile(items) }
  return (stopping) => {
    const validate: Validator = (value, place) => {
      const items = (value as Readonly<Record<string, unknown>> | null)?.[key]
      if (Array.isArray(items) && items.length > FEW) return checkLater(check(value, items, parts), stopping)
      const isValid = validator(value, place)
      validate.errors = validator.errors
      return isValid
    }
    return validate
  }
}

async function checkLater(checking: LongWork<void>, stopping: AbortSignal): Promise<true> {
  await inTurns(checking, stopping)
  return true
}

/** @throws InvalidBody with the error that the whole schema has */
function* check(body: unknown, items: readonly unknown[], { key, keys, ofRest, ofItem }: LongList): LongWork<void> {
  const rest = ofRest(body) === true ? [] : (ofRest.errors ?? [])
  const [first] = rest
  if (first !== undefined && keys.indexOf(firstKey(first)) <= keys.indexOf(key)) throw new InvalidBody(rest)
  for (const [index, item] of items.entries()) {
    if (ofItem(item) !== true)
      throw new InvalidBody((ofItem.errors ?? []).map((error) => below(`/${key}/${index}`, error)))
    if (isBreak(index)) yield
  }
  if (first !== undefined) throw new InvalidBody(rest)
}

/** Empty for an error of the body itself, whose keys are checked first. */
function firstKey({ instancePath }: FastifySchemaValidationError): string {
  return instancePath.split('/')[1] ?? ''
}

function below(place: string, error: FastifySchemaValidationError): FastifySchemaValidationError {
  return { ...error, instancePath: `${place}${error.instancePath}` }
}
