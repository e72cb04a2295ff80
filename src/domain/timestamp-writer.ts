/**
 * Formats times as in the manifest: RFC 3339 in UTC with milliseconds. Keeps the text of the last second, which successive
 * times mostly share: to format it with Date takes several times as long.
 */
export class TimestampWriter {
  private second = Number.NaN
  private text = ''

  /** @param time milliseconds since 1970; a fraction of one is dropped */
  write(time: number): string {
    const second = Math.floor(time / 1000)
    if (second !== this.second) {
      this.text = new Date(second * 1000).toISOString().slice(0, -'000Z'.length)
      this.second = second
    }
    const milliseconds = Math.floor(time) - second * 1000
    return `${this.text}${milliseconds < 10 ? '00' : milliseconds < 100 ? '0' : ''}${milliseconds}Z`
  }
}
