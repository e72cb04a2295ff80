/** Which claim_ids this run of the service has answered, and of which leases it has heard. A restart forgets both. */
export class ClaimBook {
  private readonly calls = new Map<string, { readonly call: string; readonly count: number }>()
  private readonly heard = new Set<string>()

  hear(lease: string): void {
    this.heard.add(lease)
  }

  isHeard(lease: string): boolean {
    return this.heard.has(lease)
  }

  /** @param life of the campaign */
  use(life: string, claimId: string, call: string, count: number): void {
    const key = `${life} ${claimId}`
    if (!this.calls.has(key)) this.calls.set(key, { call, count })
  }

  find(life: string, claimId: string): { readonly call: string; readonly count: number } | undefined {
    return this.calls.get(`${life} ${claimId}`)
  }

  forget(): void {
    this.calls.clear()
    this.heard.clear()
  }
}
