import type { Garbage } from '../../runtime/garbage.ts'

/** Of a body that size it is not asked whether it fits: workers must be able to report while others send much. */
const SMALL = 16 * 1024

/** A body that is on its way, or read and not yet parsed. */
export interface IncomingBody {
  /** @returns false when so many more bytes do not fit */
  add(bytes: number): boolean
  /** It is in memory no longer. */
  end(): void
}

/** The bytes of all bodies that are on their way, as they unpack. */
export class IncomingBytes {
  private total = 0

  constructor(
    private readonly limit: number,
    private readonly garbage: Garbage,
  ) {}

  begin(): IncomingBody {
    let length = 0
    return {
      add: (bytes) => {
        length += bytes
        this.total += bytes
        return length <= SMALL || this.total <= this.limit
      },
      end: () => {
        this.total -= length
        if (length > SMALL) this.garbage.leave(length)
        length = 0
      },
    }
  }
}
