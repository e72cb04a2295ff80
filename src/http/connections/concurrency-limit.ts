import type { HttpErrorCode } from '../problems/catalog.ts'
import { HttpError } from '../problems/problem.ts'

/** A limit by the name of its setting. */
interface Setting {
  readonly name: string
  readonly value: number
}

export interface ConcurrencyLimitOptions {
  readonly problem: HttpErrorCode
  /** What is limited, in the plural. */
  readonly subject: string
  readonly total: Setting
  /** Of one address, or of one /64 of IPv6; 0: any number. */
  readonly perAddress?: Setting
}

/** Limits how many long-lived responses are open at the same time: long polls, and streams. */
export class ConcurrencyLimit {
  private readonly byAddress = new Map<string, number>()
  private active = 0

  constructor(private readonly options: ConcurrencyLimitOptions) {}

  /**
   * Counts one more.
   * @param address of a client, as far as it tells one caller from another
   * @returns releases it
   * @throws HttpError when the limit is reached
   */
  acquire(address: string): () => void {
    const { total, perAddress } = this.options
    const ofAddress = this.byAddress.get(address) ?? 0
    if (this.active >= total.value) throw this.refusal(total, '')
    if (perAddress !== undefined && perAddress.value > 0 && ofAddress >= perAddress.value) {
      throw this.refusal(perAddress, ' from this address')
    }
    this.active += 1
    this.byAddress.set(address, ofAddress + 1)
    return () => this.release(address)
  }

  private refusal({ name, value }: Setting, where: string): HttpError {
    const { problem, subject } = this.options
    return new HttpError(problem, `The limit of ${value} ${subject}${where} is reached (${name}).`)
  }

  private release(address: string): void {
    const left = (this.byAddress.get(address) ?? 0) - 1
    this.active -= 1
    if (left > 0) this.byAddress.set(address, left)
    else this.byAddress.delete(address)
  }
}
