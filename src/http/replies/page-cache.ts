import type { MaybePromise } from '../../repository/maybe-promise.ts'
import { ByteCache } from '../../runtime/byte-cache.ts'

/** Encoded pages, for the next request of the same: clients that follow a campaign read the same page of the same revision. */
export class PageCache {
  private readonly pages: ByteCache<Buffer>
  private readonly begun = new Map<string, Promise<Buffer>>()

  /** @param maxBytes of all pages together, with their keys: a query may be longer than its page */
  constructor(maxBytes: number) {
    this.pages = new ByteCache({ maxBytes, sizeOf: ({ length }) => length })
  }

  /**
   * @param key identifies the content: a version, and the query
   * @param encode makes the page; called once for all that ask meanwhile
   */
  async get(key: string, encode: () => MaybePromise<Buffer>): Promise<Buffer> {
    return this.pages.get(key) ?? this.begun.get(key) ?? this.begin(key, encode)
  }

  private async begin(key: string, encode: () => MaybePromise<Buffer>): Promise<Buffer> {
    const encoding = encode()
    if (encoding instanceof Promise) this.begun.set(key, encoding)
    try {
      const page = await encoding
      this.pages.set(key, page)
      return page
    } finally {
      this.begun.delete(key)
    }
  }
}
