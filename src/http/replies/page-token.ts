import type { Static, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { invalidParameter } from '../problems/problem.ts'

/** Where a list goes on, as text that means nothing to the client. */
export function pageToken(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** @throws DomainError `invalid` for a text that is no token of this list */
export function readPageToken<T extends TSchema>(token: string, schema: T): Static<T> {
  try {
    const position: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (Value.Check(schema, position)) return position
  } catch {
    // Not ours: told below, as one of another list is.
  }
  throw invalidParameter('query', 'page_token', 'is not one that this list gave out')
}
