import { ByteCache } from '../../runtime/byte-cache.ts'

/** Encoded pages, for the next request of the same: clients that follow a campaign read the same page of the same revision. */
export class PageCache {
  private readonly pages: ByteCache<Buffer>

  /** @param maxBytes of all pages together, with their keys: a query may be longer than its page */
  constructor(maxBytes: number) {
    this.pages = new ByteCache({ maxBytes, sizeOf: ({ length }) => length })
  }

  /** @param key identifies the content: a version, and the query */
  get(key: string, encode: () => Buffer): Buffer {
    const cached = this.pages.get(key)
    if (cached !== undefined) return cached
    const page = encode()
    this.pages.set(key, page)
    return page
  }
}
