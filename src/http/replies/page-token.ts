import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { invalidParameter } from '../problems/problem.ts'

/** The position of the next page, as text that is opaque to the client; null stays null. */
export function pageToken(position: unknown): string | null {
  return position === null ? null : Buffer.from(JSON.stringify(position)).toString('base64url')
}

/**
 * The position among experiments from which a page begins.
 * @throws DomainError `invalid` for a text that is not a token of such a list
 */
export function startOfPage(token: string | undefined): number {
  return token === undefined ? 0 : readPageToken(token, Type.Integer({ minimum: 0 }))
}

/** @throws DomainError `invalid` for a text that is not a token of this list */
export function readPageToken<T extends TSchema>(token: string, schema: T): Static<T> {
  try {
    const position: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (Value.Check(schema, position)) return position
  } catch {
    // Refused below, as the token of another list is.
  }
  throw invalidParameter('query', 'page_token', 'was not issued by this list')
}
