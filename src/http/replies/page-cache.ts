/**
 * Answers that took some work to encode, for whoever asks for the same next: those who follow a campaign look at the same page of
 * the same revision. Of all there were those asked for last, up to so many bytes.
 */
export class PageCache {
  /** The one that was asked for last stands last. */
  private readonly answers = new Map<string, Buffer>()
  private bytes = 0

  constructor(private readonly maxBytes: number) {}

  /** @param key of what the answer says: a version, and what was asked of it */
  get(key: string, encode: () => Buffer): Buffer {
    const known = this.answers.get(key)
    const answer = known ?? encode()
    if (known === undefined) this.makeRoom(answer.length)
    else this.answers.delete(key)
    if (answer.length <= this.maxBytes) this.answers.set(key, answer)
    return answer
  }

  private makeRoom(length: number): void {
    if (length > this.maxBytes) return
    this.bytes += length
    for (const [key, { length: freed }] of this.answers) {
      if (this.bytes <= this.maxBytes) return
      this.answers.delete(key)
      this.bytes -= freed
    }
  }
}
