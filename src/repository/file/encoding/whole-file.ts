import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import * as nodeFs from 'node:fs'
import type { LongWork } from '../../../domain/long-work.ts'
import { parseLarge } from '../../../runtime/json/large-json.ts'
import { textPieces, withoutByteOrderMark } from '../../../runtime/json/text-pieces.ts'

/** Bytes that are read in one go. */
const PIECE = 1024 * 1024

/** The bytes of a file. @param size that it had; what it has grown since is left out */
export function* readWhole(descriptor: number, size: number): LongWork<Buffer> {
  const file = Buffer.alloc(size)
  let at = 0
  for (let length = -1; at < size && length !== 0; at += length) {
    length = nodeFs.readSync(descriptor, file, at, Math.min(PIECE, size - at), at)
    yield
  }
  return withoutByteOrderMark(file.subarray(0, at))
}

export function* isText(file: Buffer): LongWork<boolean> {
  for (const piece of textPieces(file)) {
    if (!isUtf8(piece)) return false
    yield
  }
  return true
}

/** @throws SyntaxError */
export function* parseWhole(file: Buffer): LongWork<unknown> {
  return (yield* parseLarge(file)).value
}

/** sha256, in hex, over a text and the file. */
export function* digestOf(file: Buffer): LongWork<string> {
  const hash = createHash('sha256')
  for (const piece of textPieces(file)) {
    hash.update(piece)
    yield
  }
  return hash.digest('hex')
}
