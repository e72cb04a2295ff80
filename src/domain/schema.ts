import {
  type ObjectOptions,
  type SchemaOptions,
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
  Type,
} from '@sinclair/typebox'

/**
 * A string out of a fixed list.
 * TypeBox's own union of literals emits `anyOf`, which generators and people read badly; this emits `enum`.
 */
export function StringEnum<const T extends readonly string[]>(
  values: T,
  options: SchemaOptions = {},
): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ ...options, type: 'string', enum: [...values] })
}

/** The schema or null, as `type: [..., 'null']` and not as `anyOf`. Takes schemas of one `type`, optionally with `enum`. */
export function Nullable<T extends TSchema>(schema: T, options: SchemaOptions = {}): TUnsafe<Static<T> | null> {
  const values: unknown = schema['enum']
  return Type.Unsafe<Static<T> | null>({
    ...schema,
    ...options,
    type: [schema['type'], 'null'],
    ...(Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {}),
  })
}

/**
 * Any keys, with values of the schema. TypeBox's own record makes a pattern of the keys, `^(.*)$`, which a key with a
 * line break does not match: its value was then taken unseen.
 */
export function Dictionary<T extends TSchema>(
  values: T,
  options: SchemaOptions = {},
): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>({ ...options, type: 'object', additionalProperties: values })
}

/** An object that refuses unknown keys. */
export function StrictObject<T extends TProperties>(properties: T, options: ObjectOptions = {}): TObject<T> {
  return Type.Object(properties, { ...options, additionalProperties: false })
}

/** The same schema, described for where it stands. */
export function Described<T extends TSchema>(schema: T, description: string): T {
  return { ...schema, description }
}

/**
 * A reference to a schema that has a name of its own, typed as that schema; the OpenAPI document keeps it as a `$ref`.
 * @throws Error at load when the schema has no `$id`: a validator would look for it in vain only at the first request
 */
export function ref<T extends TSchema>(schema: T, options: SchemaOptions = {}): TUnsafe<Static<T>> {
  if (schema.$id === undefined) throw new Error('only a schema with an $id can be referred to')
  return Type.Unsafe<Static<T>>(Type.Ref(schema.$id, options))
}
