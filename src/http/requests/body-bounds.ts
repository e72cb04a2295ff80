import type { LongWork } from '../../domain/long-work.ts'
import { HttpError } from '../problems/problem.ts'
import { MAX_DEPTH } from './fit-values.ts'

/** Bytes of one text, as it is written: the longest error of a report. */
const MAX_TEXT = 4 * 1024 * 1024

/** Members of one object: labels have at most 128 KiB together. */
const MAX_MEMBERS = 10_000

/**
 * Arrays and objects: each takes some 60 bytes of memory, an empty one 3 of the body. An experiment with everything has one for
 * more than 64 bytes; the longest list of shorter objects is that of a resume, 100,000 of them.
 */
const FEW = 110_000
const BYTES_FOR_EACH = 64

/** Bytes that are looked at in one go. */
const PIECE = 64 * 1024

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Refuses a large body whose values would take many times the memory that it takes itself, or which has a part that cannot be
 * parsed in slices, before it is parsed.
 * @throws HttpError `body-too-large`
 */
export function* refuseUnbounded(json: Buffer): LongWork<void> {
  const bounds = new BodyBounds(json)
  while (!bounds.isAtEnd) {
    bounds.readPiece()
    yield
  }
}

class BodyBounds {
  private at = 0
  /** Where the text began that is being read; -1: none is. */
  private text = -1
  private left: number
  /** Commas of each open object; of an array, which may have any number, less than any. */
  private readonly members: number[] = []

  constructor(private readonly json: Buffer) {
    this.left = FEW + json.length / BYTES_FOR_EACH
  }

  get isAtEnd(): boolean {
    return this.at >= this.json.length
  }

  readPiece(): void {
    const end = Math.min(this.json.length, this.at + PIECE)
    for (; this.at < end; this.at += 1) {
      const byte = this.json[this.at]
      if (this.text >= 0) this.readText(byte)
      else if (byte === QUOTE) this.text = this.at
      else if (byte === COMMA) this.readComma()
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.open(byte === OPEN_OBJECT ? 1 : -Infinity)
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) this.members.pop()
    }
    if (this.text >= 0 && this.at - this.text > MAX_TEXT) {
      throw tooLarge(`a text of more than ${MAX_TEXT.toLocaleString('en')} bytes`)
    }
  }

  private readText(byte: number | undefined): void {
    if (byte === BACKSLASH) this.at += 1
    else if (byte === QUOTE) this.text = -1
  }

  private readComma(): void {
    const count = (this.members.pop() ?? -Infinity) + 1
    if (count > MAX_MEMBERS) throw tooLarge(`an object of more than ${MAX_MEMBERS.toLocaleString('en')} members`)
    this.members.push(count)
  }

  private open(members: number): void {
    this.members.push(members)
    // What is deeper is not parsed.
    if (this.members.length > MAX_DEPTH) this.at = this.json.length
    this.left -= 1
    if (this.left < 0) throw tooLarge('more arrays and objects than a manifest of its size')
  }
}

function tooLarge(what: string): HttpError {
  return new HttpError('body-too-large', `The body has ${what}. No setting allows that.`)
}
