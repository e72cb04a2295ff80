import { isUtf8 } from 'node:buffer'
import type { LongWork } from '../../domain/long-work.ts'
import { type LargeJson, parseLarge } from '../../runtime/json/large-json.ts'
import { textPieces, withoutByteOrderMark } from '../../runtime/json/text-pieces.ts'
import { HttpError } from '../problems/problem.ts'
import { refuseUnbounded } from './body-bounds.ts'
import { MAX_DEPTH, refuseUnfitLarge } from './fit-values.ts'

export function notUtf8(): HttpError {
  return new HttpError('malformed-json', 'The body is not UTF-8.')
}

export function malformed(error: unknown): HttpError {
  return new HttpError('malformed-json', `The body is not JSON: ${(error as Error).message}`)
}

/**
 * Parses a body of any length, a piece at a time.
 * @returns undefined for an empty body
 */
export function* parseLargeBody(bytes: Buffer): LongWork<unknown> {
  for (const piece of textPieces(bytes)) {
    if (!isUtf8(piece)) throw notUtf8()
    yield
  }
  const json = withoutByteOrderMark(bytes)
  if (yield* isBlank(json)) return undefined
  yield* refuseUnbounded(json)
  const parsed = yield* parse(json)
  yield* refuseUnfitLarge(parsed)
  return parsed.value
}

function* parse(json: Buffer): LongWork<LargeJson> {
  try {
    return yield* parseLarge(json, MAX_DEPTH)
  } catch (error) {
    throw error instanceof SyntaxError ? malformed(error) : error
  }
}

function* isBlank(text: Buffer): LongWork<boolean> {
  for (const piece of textPieces(text)) {
    if (piece.toString().trim() !== '') return false
    yield
  }
  return true
}
