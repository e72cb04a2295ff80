import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

/**
 * Refuses a path and a query that are no text: percent-encoded bytes that are not UTF-8. The router decodes only the path, and
 * only where a route may match; in a query it would keep such bytes as they are written. Bytes that are not encoded at all are
 * malformed for Node's parser.
 */
export function wellFormedUrl(): Guard {
  return ({ url }) =>
    url.includes('%') && !isDecodable(url)
      ? new HttpError('malformed-url', 'The path or the query is not percent-encoded UTF-8.')
      : null
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url)
    return true
  } catch {
    return false
  }
}
