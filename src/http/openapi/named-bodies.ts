interface Schema {
  readonly $ref?: string
  readonly type?: unknown
  readonly description?: string
}

interface Content {
  readonly description?: string
  readonly content?: Readonly<Record<string, { schema?: Schema }>>
}

interface Operation {
  readonly operationId?: string
  readonly summary?: string
  readonly requestBody?: Content
  readonly responses?: Readonly<Record<string, Content>>
}

interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: { readonly schemas?: Record<string, Schema> }
}

/**
 * Gives each body and each response of a document a schema with a name, after its operation: generators of clients would make up
 * their own. What has a name keeps it, and so does a plain text.
 */
export function nameBodies<T extends object>(document: T): T {
  const { paths = {}, components } = document as Document
  const schemas = components?.schemas ?? {}
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
    const { operationId = '', summary = '', requestBody, responses = {} } = operation
    const name = `${operationId.slice(0, 1).toUpperCase()}${operationId.slice(1)}`
    if (requestBody !== undefined) nameContent(schemas, `${name}Request`, summary, requestBody)
    for (const response of Object.values(responses)) {
      nameContent(schemas, `${name}Response`, response.description ?? summary, response)
    }
  }
  return document
}

function nameContent(
  schemas: Record<string, Schema>,
  name: string,
  description: string,
  { content = {} }: Content,
): void {
  for (const media of Object.values(content)) {
    const { schema } = media
    if (schema === undefined || schema.$ref !== undefined || schema.type === 'string') continue
    schemas[name] ??= { description, ...schema }
    media.schema = { $ref: `#/components/schemas/${name}` }
  }
}
