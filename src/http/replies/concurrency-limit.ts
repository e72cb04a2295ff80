import { HttpError } from '../problems/problem.ts'
import type { HttpErrorCode } from '../problems/catalog.ts'

export interface ConcurrencyLimitOptions {
  readonly refusal: HttpErrorCode
  /** How many there are. */
  readonly limit: number
  /** How many one address may take; 0: any number. */
  readonly perAddress?: number
}

/** Places for what lasts: calls that are held, and streams. */
export class ConcurrencyLimit {
  private readonly byAddress = new Map<string, number>()
  private taken = 0

  constructor(private readonly options: ConcurrencyLimitOptions) {}

  /**
   * Takes a place.
   * @returns gives it back
   * @throws HttpError when there is none
   */
  acquire(address: string): () => void {
    const { refusal, limit, perAddress = 0 } = this.options
    const ofAddress = this.byAddress.get(address) ?? 0
    if (this.taken >= limit) throw new HttpError(refusal, `There are ${this.taken} already.`)
    if (perAddress > 0 && ofAddress >= perAddress) {
      throw new HttpError(refusal, `There are ${ofAddress} from this address already.`)
    }
    this.taken += 1
    this.byAddress.set(address, ofAddress + 1)
    return () => {
      this.release(address)
    }
  }

  private release(address: string): void {
    const left = (this.byAddress.get(address) ?? 0) - 1
    this.taken -= 1
    if (left > 0) this.byAddress.set(address, left)
    else this.byAddress.delete(address)
  }
}
