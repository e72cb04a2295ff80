import type { EventFrame } from './event-frame.ts'

/** The newest frames of a stream, for those who come back: as many as fit. */
export class EventRing {
  private readonly frames: EventFrame[] = []
  private bytes = 0

  constructor(
    private readonly maxBytes: number,
    /** The id behind which the first frame comes. */
    private base: string,
  ) {}

  /** The id of the newest frame. */
  get newest(): string {
    return this.frames.at(-1)?.id ?? this.base
  }

  push(frame: EventFrame): void {
    this.frames.push(frame)
    this.bytes += frame.size
    while (this.bytes > this.maxBytes) {
      const oldest = this.frames.shift()
      if (oldest === undefined) return
      this.bytes -= oldest.size
      this.base = oldest.id ?? this.base
    }
  }

  /** All frames behind the one of the id; null when it is not known here, or too old. */
  since(id: string): readonly EventFrame[] | null {
    if (id === this.base) return [...this.frames]
    const at = this.frames.findLastIndex((frame) => frame.id === id)
    return at === -1 ? null : this.frames.slice(at + 1)
  }
}
