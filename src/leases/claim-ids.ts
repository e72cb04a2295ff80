import type { RememberedClaim } from '../domain/operations/claim/repeated-claim.ts'

/** As many as are remembered at the same time, and for how long, in milliseconds. */
const MOST = 10_000
const AGE = 60 * 60 * 1000

interface Entry extends RememberedClaim {
  readonly at: number
}

/**
 * The claim_ids that were used lately. In memory: what the leases store tells of the claims that were made just before a restart, and
 * older ones have no lease any more, or have been heard of.
 */
export class ClaimIds {
  /** The oldest first. */
  private readonly used = new Map<string, Entry>()

  /** @param monotonic milliseconds from any origin, never going back */
  constructor(private readonly monotonic: () => number) {}

  /** @param uid of the campaign */
  find(uid: string, claimId: string): RememberedClaim | null {
    this.forgetOld()
    return this.used.get(keyOf(uid, claimId)) ?? null
  }

  /** The first use of an id counts. */
  remember(uid: string, claimId: string, { call, count }: RememberedClaim): void {
    const key = keyOf(uid, claimId)
    if (this.used.has(key)) return
    this.used.set(key, { call, count, at: this.monotonic() })
    this.forgetOld()
  }

  private forgetOld(): void {
    const oldest = this.monotonic() - AGE
    for (const [key, { at }] of this.used) {
      if (at >= oldest && this.used.size <= MOST) return
      this.used.delete(key)
    }
  }
}

/** A uid is always of the same length. */
function keyOf(uid: string, claimId: string): string {
  return uid + claimId
}
