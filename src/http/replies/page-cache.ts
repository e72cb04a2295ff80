import { LRUCache } from 'lru-cache'

/** Encoded pages, for the next request of the same: clients that follow a campaign read the same page of the same revision. */
export class PageCache {
  private readonly pages: LRUCache<string, Buffer>

  /** @param maxBytes of all pages together; the least recently used ones are evicted */
  constructor(maxBytes: number) {
    this.pages = new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ length }) => length })
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
