import { LRUCache } from 'lru-cache'

/** What an entry takes beside its key and its value. */
const ENTRY = 200

export interface ByteCacheOptions<V> {
  /** Of all entries together, with their keys. */
  readonly maxBytes: number
  /** Bytes of a value. */
  readonly sizeOf: (value: V) => number
  /** Called for an entry that made room for another, or was too large itself. */
  readonly onDropped?: (value: V) => void
}

/** Keeps what was used or set last, bounded by the bytes that it takes: what clients send must not fill the memory. */
export class ByteCache<V extends object> {
  private readonly entries: LRUCache<string, V>

  constructor(private readonly options: ByteCacheOptions<V>) {
    this.entries = new LRUCache<string, V>({
      maxSize: options.maxBytes,
      // Characters take two bytes at most.
      sizeCalculation: (value, key) => ENTRY + 2 * key.length + options.sizeOf(value),
      dispose: (value, _key, reason) => {
        if (reason === 'evict') options.onDropped?.(value)
      },
    })
  }

  get(key: string): V | undefined {
    return this.entries.get(key)
  }

  set(key: string, value: V): void {
    this.entries.set(key, value)
    if (!this.entries.has(key)) this.options.onDropped?.(value)
  }

  /** The least recently used first. */
  values(): V[] {
    return [...this.entries.rvalues()].filter((value): value is V => value !== undefined)
  }
}
