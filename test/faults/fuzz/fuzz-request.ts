import { openApiDocument, type Operation } from '../../support/http/open-api-document.js'

export interface FuzzedOperation extends Operation {
  readonly method: string
  readonly template: string
}

export interface FuzzRequest {
  readonly operation: FuzzedOperation
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  /** Sent as it is, in place of `body`. */
  readonly rawBody?: string
}

export const OPERATIONS: readonly FuzzedOperation[] = Object.entries(openApiDocument.paths).flatMap(
  ([template, operations]) =>
    Object.entries(operations).map(([verb, operation]) => ({ ...operation, template, method: verb.toUpperCase() })),
)

export function urlOf({ operation, path, query }: FuzzRequest): string {
  const filled = operation.template.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''))
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${encoded(name)}=${encoded(String(one))}`),
  )
  return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

export function bodyOf({ body, rawBody }: FuzzRequest): string | undefined {
  return rawBody ?? (body === undefined ? undefined : JSON.stringify(body))
}
