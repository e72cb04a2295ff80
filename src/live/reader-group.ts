import type { BroadcastBuffer } from './broadcast-buffer.ts'

/** The connection of one reader. */
export interface EventSink {
  write(bytes: Buffer): void
  /** Bytes that were written and did not leave yet. */
  readonly backlog: number
  /** Ends it in order. */
  end(): void
  /** Cuts it off. */
  drop(): void
}

/** Whoever reads, and up to where on the tape he was told. */
export interface Reader {
  readonly sink: EventSink
  told: number
}

/** Readers who are told together. */
export class ReaderGroup {
  readonly members = new Set<Reader>()

  /** @param told up to where on the tape its readers were told; one of them may know more */
  constructor(public told: number) {}

  /** Tells all that is on the tape and that they were not told. */
  tell(tape: BroadcastBuffer, write: (reader: Reader, bytes: Buffer) => void): void {
    const { end } = tape
    if (this.told === end) return
    const pieces = tape.from(this.told)
    for (const reader of this.members) {
      // Who came while something was waiting was told that with his first frames.
      for (const bytes of reader.told <= this.told ? pieces : tape.from(reader.told)) write(reader, bytes)
      reader.told = end
    }
    this.told = end
  }
}
