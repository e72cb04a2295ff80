import { define, type Frame, frameOf, put } from './frame.ts'
import { JsonFault, type SafePlace } from './json-fault.ts'

/** Bytes that are parsed in one go. */
const PIECE = 64 * 1024

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

export interface LargeJson {
  readonly value: unknown
  /** The arrays and objects in it that are longer than a piece. */
  readonly large: ReadonlySet<unknown>
}

/** An array or object within the item that is not parsed yet. */
interface Inner {
  readonly kind: 'array' | 'object'
  readonly at: number
  comma: number
}

/**
 * Parses JSON of any length, a piece at a time: the same value as `JSON.parse`, or the same error. It finds out where arrays and
 * objects end that are too long, and has `JSON.parse` parse all else.
 * @param bytes UTF-8 without a byte order mark
 * @param maxDepth a text that is nested deeper is taken to end there, with every bracket closed
 * @throws SyntaxError
 */
export function* parseLarge(bytes: Buffer, maxDepth = Infinity): Generator<void, LargeJson, void> {
  const parser = new LargeJsonParser(bytes, maxDepth)
  try {
    while (!parser.isAtEnd) {
      parser.readPiece()
      yield
    }
    return { value: parser.end(), large: parser.large }
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error
    throw new SyntaxError(yield* error.explain())
  }
}

class LargeJsonParser {
  readonly large = new Set<unknown>()
  private readonly root: Frame = frameOf('text', '', 0)
  private frame = this.root
  private readonly outer: Frame[] = []
  private inner: Inner[] = []
  private at = 0
  private isInString = false
  /** Where the parser could begin again, at least some characters apart. */
  private places: readonly [older: SafePlace, newer: SafePlace] = [START, START]

  constructor(
    private bytes: Buffer,
    private readonly maxDepth: number,
  ) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  readPiece(): void {
    const end = Math.min(this.bytes.length, this.at + PIECE)
    while (this.at < end && this.at < this.bytes.length) {
      if (this.isInString) this.skipString(end)
      else this.readByte(this.bytes[this.at] ?? 0)
      this.at += 1
    }
    while (this.at - this.frame.from > PIECE && this.shorten());
    if (this.frame.before === 'item') this.skipBlank()
  }

  /** @returns the value of the whole text */
  end(): unknown {
    const { root, frame, inner, bytes } = this
    if (frame !== root || inner.length > 0 || this.isInString) this.fail()
    if (root.before === 'nothing') return this.parse('', bytes.length, '')
    this.expectBlank(bytes.length)
    return (root.value as unknown[])[0]
  }

  /** Up to the last byte of the string, or of those that are to be read. */
  private skipString(end: number): void {
    const { bytes } = this
    let { at } = this
    for (; at < end; at += 1) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.isInString = false
        break
      }
      if (byte === BACKSLASH) at += 1
    }
    this.at = Math.min(at, bytes.length)
    if (this.isInString) this.at -= 1
  }

  private readByte(byte: number): void {
    if (byte === QUOTE) this.isInString = true
    else if (byte === COMMA) this.readComma()
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) this.open(byte === OPEN_ARRAY ? 'array' : 'object')
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) this.close(byte === CLOSE_ARRAY ? 'array' : 'object')
  }

  private readComma(): void {
    const inner = this.inner.at(-1)
    if (inner !== undefined) inner.comma = this.at
    else if (this.frame.kind === 'text') return
    else if (this.frame.before === 'item') {
      this.expectBlank(this.at)
      this.moveTo(this.at + 1, 'comma')
    } else this.frame.comma = this.at
  }

  private open(kind: Inner['kind']): void {
    if (this.outer.length + this.inner.length === this.maxDepth) this.endHere()
    else this.inner.push({ kind, at: this.at, comma: -1 })
  }

  private close(kind: Inner['kind']): void {
    const inner = this.inner.pop()
    if (inner !== undefined) {
      if (inner.kind !== kind) this.fail()
      return
    }
    const { frame } = this
    if (frame.kind !== kind) this.fail()
    if (frame.before === 'item') this.expectBlank(this.at)
    else if (frame.before === 'comma' || !this.isBlank(this.at)) this.parseItems(this.at)
    const parent = this.outer.pop() ?? this.root
    put(parent, frame)
    this.frame = parent
    this.moveTo(this.at + 1, 'item')
  }

  /** Parses what can be of that which was read. @returns false when it is one long string */
  private shorten(): boolean {
    const { frame } = this
    if (frame.comma > frame.from && frame.kind !== 'text') {
      const { comma } = frame
      this.parseItems(comma)
      frame.comma = -1
      this.moveTo(comma + 1, 'comma')
      return true
    }
    const inner = this.inner[0]
    if (inner === undefined) return false
    this.enter(inner)
    return true
  }

  /** Of an array or object that is too long, the items are parsed one after the other. */
  private enter(inner: Inner): void {
    if (this.frame.before === 'item') this.fail()
    const key = this.keyBefore(inner.at)
    this.outer.push(this.frame)
    this.frame = frameOf(inner.kind, key, inner.at + 1)
    this.frame.comma = inner.comma
    this.large.add(this.frame.value)
    this.inner.shift()
    this.moveTo(inner.at + 1, 'nothing')
  }

  private keyBefore(end: number): string {
    if (this.frame.kind === 'object') return Object.keys(this.parse('{', end, '[]}') as object)[0] ?? ''
    this.expectBlank(end)
    return ''
  }

  private parseItems(end: number): void {
    const { value } = this.frame
    if (this.isBlank(end)) this.fail()
    if (Array.isArray(value)) for (const item of this.parse('[', end, ']') as unknown[]) value.push(item)
    else for (const [key, item] of Object.entries(this.parse('{', end, '}') as object)) define(value, key, item)
  }

  private parse(before: string, end: number, after: string): unknown {
    try {
      return JSON.parse(`${before}${this.bytes.toString('utf8', this.frame.from, end)}${after}`) as unknown
    } catch {
      return this.fail()
    }
  }

  private moveTo(from: number, before: Frame['before']): void {
    Object.assign(this.frame, { from, before })
    const newer = this.places[1]
    if (from - newer.at < JsonFault.CONTEXT) return
    this.places = [newer, { at: from, text: this.textBefore() }]
  }

  /** A short text after which a parser is where this one is. */
  private textBefore(): string {
    const { kind, before } = this.frame
    if (kind === 'text') return before === 'item' ? '""' : ''
    const items = { nothing: '', comma: '"",', item: '""' }[before]
    const members = { nothing: '', comma: '"":"",', item: '"":""' }[before]
    const open = this.outer.slice(1).map((frame) => (frame.kind === 'array' ? '[' : '{"":'))
    return `${open.join('')}${kind === 'array' ? `[${items}` : `{${members}`}`
  }

  private expectBlank(end: number): void {
    if (!this.isBlank(end)) this.fail()
  }

  private skipBlank(): void {
    this.expectBlank(this.at)
    this.frame.from = this.at
  }

  private isBlank(end: number): boolean {
    for (let at = this.frame.from; at < end; at += 1) if (!isSpace(this.bytes[at])) return false
    return true
  }

  /** The text is taken to end here: behind an empty array, with every bracket closed. */
  private endHere(): void {
    const closers = [...this.outer.slice(1), ...(this.frame === this.root ? [] : [this.frame]), ...this.inner]
      .map(({ kind }) => (kind === 'array' ? ']' : '}'))
      .reverse()
    this.bytes = Buffer.concat([this.bytes.subarray(0, this.at), Buffer.from(`[]${closers.join('')}`)])
    this.inner.push({ kind: 'array', at: this.at, comma: -1 })
  }

  private fail(): never {
    throw new JsonFault(this.bytes, this.places[0], this.at)
  }
}

const START: SafePlace = { at: 0, text: '' }

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
