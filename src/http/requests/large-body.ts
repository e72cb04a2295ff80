import { isUtf8 } from 'node:buffer'
import type { LongWork } from '../../domain/long-work.ts'
import { type LargeJson, parseLarge } from '../../runtime/json/large-json.ts'
import { HttpError } from '../problems/problem.ts'
import { MAX_DEPTH, refuseUnfitLarge } from './fit-values.ts'

/** Bytes that are looked through in one go. */
const PIECE = 256 * 1024

const BYTE_ORDER_MARK = Buffer.from('\ufeff')

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
  for (const piece of pieces(bytes)) {
    if (!isUtf8(piece)) throw notUtf8()
    yield
  }
  const hasMark = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
  const json = hasMark ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes
  if (yield* isBlank(json)) return undefined
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
  for (const piece of pieces(text)) {
    if (piece.toString().trim() !== '') return false
    yield
  }
  return true
}

/** The bytes of a text, in pieces of whole characters. */
function* pieces(bytes: Buffer): Generator<Buffer, void> {
  for (let at = 0; at < bytes.length;) {
    let end = Math.min(bytes.length, at + PIECE)
    // A character has three more bytes at most.
    for (let more = 0; more < 3 && isWithinCharacter(bytes[end]); more += 1) end += 1
    yield bytes.subarray(at, end)
    at = end
  }
}

function isWithinCharacter(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}
