import type { Method } from '../service/app.js'
import { openApiDocument, type Operation } from './open-api-document.js'

/** An operation of the API, with a path of the campaign `sweep`. */
export interface Door {
  readonly id: string
  readonly method: Method
  readonly path: string
  readonly operation: Operation
}

const PATH_PARTS: Readonly<Record<string, string>> = {
  campaign_id: 'sweep',
  exp_id: '0001',
  code: 'invalid',
  worker: 'w1',
}

/** Every operation of the document: what must hold at one door must hold at all. */
export const DOORS: readonly Door[] = Object.entries(openApiDocument.paths).flatMap(([template, operations]) =>
  Object.entries(operations).map(([verb, operation]) => ({
    id: operation.operationId,
    method: verb.toUpperCase() as Method,
    path: template.replace(/\{([^}]+)\}/g, (_whole, name: string) => PATH_PARTS[name] ?? name),
    operation,
  })),
)

/** Those that take a body. */
export const BODY_DOORS = DOORS.filter(({ operation }) => operation.requestBody !== undefined)

/** Of each path its methods. */
export const METHODS_OF: ReadonlyMap<string, readonly string[]> = new Map(
  [...new Set(DOORS.map(({ path }) => path))].map((path) => [
    path,
    DOORS.filter((door) => door.path === path).map(({ method }) => method),
  ]),
)
