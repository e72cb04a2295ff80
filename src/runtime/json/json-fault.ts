import { isWithinCharacter } from './text-pieces.ts'

/** A place up to which a text is JSON. */
export interface SafePlace {
  readonly at: number
  /** A short text after which a parser expects the same as here. */
  readonly text: string
}

/** Bytes that are decoded in one go. */
const PIECE = 256 * 1024

const POSITION = / at position (\d+)(?: \(line (\d+) column (\d+)\))?$/

/** Where a long text is no JSON. What `JSON.parse` says of it is found out from the part around that place. */
export class JsonFault extends Error {
  /** Bytes around a fault that a message may show, and more. */
  static readonly CONTEXT = 64

  /**
   * @param place before the fault, at least `CONTEXT` bytes unless it is the begin of the text
   * @param end of what was read: the fault is before it
   */
  constructor(
    private readonly bytes: Buffer,
    private readonly place: SafePlace,
    private readonly end: number,
  ) {
    super('no JSON')
  }

  /** @returns the message that `JSON.parse` has for the whole text */
  *explain(): Generator<void, string, void> {
    const { bytes, place } = this
    let end = Math.min(bytes.length, this.end + JsonFault.CONTEXT)
    while (isWithinCharacter(bytes[end])) end += 1
    const message = messageOf(`${place.text}${bytes.toString('utf8', place.at, end)}`)
    const found = POSITION.exec(message)
    if (found === null) return message
    const before = yield* this.before()
    const [all, position, line, column] = found
    const moved = Number(position) - place.text.length + before.length
    const start = message.slice(0, -all.length)
    if (line === undefined) return `${start} at position ${moved}`
    const columnMoved = Number(line) === 1 ? Number(column) - place.text.length + before.sinceBreak : Number(column)
    return `${start} at position ${moved} (line ${Number(line) + before.breaks} column ${columnMoved})`
  }

  /** Characters before the place, as a string counts them. */
  private *before(): Generator<void, { length: number; breaks: number; sinceBreak: number }, void> {
    let [length, breaks, sinceBreak] = [0, 0, 0]
    for (let at = 0; at < this.place.at;) {
      let end = Math.min(this.place.at, at + PIECE)
      while (isWithinCharacter(this.bytes[end]) || this.bytes[end] === 0x0a) end += 1
      const text = this.bytes.toString('utf8', at, Math.min(end, this.place.at))
      const lines = text.split(/\r\n|\r|\n/)
      length += text.length
      breaks += lines.length - 1
      sinceBreak = (lines.length === 1 ? sinceBreak : 0) + (lines.at(-1)?.length ?? 0)
      at = end
      yield
    }
    return { length, breaks, sinceBreak }
  }
}

function messageOf(json: string): string {
  try {
    JSON.parse(json)
    return 'Unexpected end of JSON input'
  } catch (error) {
    return (error as Error).message
  }
}
