/** The bytes of all bodies that are in memory, as they unpack. */
export class IncomingBytes {
  private total = 0

  constructor(private readonly limit: number) {}

  get hasRoom(): boolean {
    return this.total <= this.limit
  }

  /** Counts so many more, or with a negative number fewer. */
  change(bytes: number): void {
    this.total += bytes
  }
}
