import type {
  IntegerOptions,
  ObjectOptions,
  SchemaOptions,
  Static,
  StringOptions,
  TProperties,
  TSchema,
} from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'

/** An object that has no other keys than these. */
export function StrictObject<T extends TProperties>(properties: T, options: ObjectOptions = {}) {
  return Type.Object(properties, { ...options, additionalProperties: false })
}

/** An integer that a JavaScript number holds exactly. */
export function SafeInteger(minimum: number, options: IntegerOptions = {}) {
  return Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, ...options })
}

/** A text by which something is found or told apart: half of a surrogate pair in it is refused, not replaced. */
export function Name(options: StringOptions = {}) {
  return Type.String({ format: 'well-formed', ...options })
}

/** A name that is kept as it is given. */
export function Text(description: string, example: string) {
  return Name({ maxLength: 4096, description, examples: [example] })
}

/** A text for people, of which nothing is refused: half of a surrogate pair in it becomes U+FFFD. */
export function FreeText(options: StringOptions = {}) {
  return Type.String({ [FREE_TEXT]: true, ...options })
}

/** Keyword of the schema of a free text. */
export const FREE_TEXT = 'x-free-text'

/** A string of a fixed list, as `enum`: TypeBox's union of literals emits `anyOf`, which is hard to read. */
export function StringEnum<const T extends readonly string[]>(values: T, options: SchemaOptions = {}) {
  return Type.Unsafe<T[number]>({ ...options, type: 'string', enum: [...values] })
}

/**
 * The schema or null, as `type: [..., 'null']`. One with `enum` as `anyOf`: of a null among its values generators of clients
 * make a name. Takes schemas of one `type`.
 */
export function Nullable<T extends TSchema>(schema: T, options: SchemaOptions = {}) {
  if (!('enum' in schema))
    return Type.Unsafe<Static<T> | null>({ ...schema, ...options, type: [schema['type'], 'null'] })
  const { type, enum: values, ...rest } = schema as Record<string, unknown>
  return Type.Unsafe<Static<T> | null>({ ...rest, ...options, anyOf: [{ type, enum: values }, { type: 'null' }] })
}

interface DictionaryOptions extends ObjectOptions {
  /** What a name must be beside well-formed. */
  readonly names?: StringOptions
}

/**
 * Any names as keys, with values of the schema. TypeBox's record has a pattern for keys, `^(.*)$`, which a key with a line break
 * does not match: its value would not be checked.
 */
export function Dictionary<T extends TSchema>(values: T, { names, ...options }: DictionaryOptions = {}) {
  return Type.Unsafe<Record<string, Static<T>>>({
    ...options,
    type: 'object',
    propertyNames: { format: 'well-formed', ...names },
    additionalProperties: values,
  })
}

/** The schema with another description. */
export function Described<T extends TSchema>(schema: T, description: string): T {
  return { ...schema, description }
}

/**
 * A reference to a schema by its `$id`, typed as that schema; a `$ref` in the OpenAPI document.
 * @throws Error when the schema has no `$id`: at load, and not at the first request
 */
export function ref<T extends TSchema>(schema: T, options: SchemaOptions = {}) {
  if (schema.$id === undefined) throw new Error('a reference needs a schema with an $id')
  return Type.Unsafe<Static<T>>(Type.Ref(schema.$id, options))
}
