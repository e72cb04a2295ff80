import { Map } from 'immutable'
import { isBreak, type LongWork } from '../long-work.ts'

/** A persistent map of what was collected, which may have as many keys as a campaign has experiments. */
export function* mapOf<K, T, V>(collected: ReadonlyMap<K, T>, valueOf: (value: T) => V): LongWork<Map<K, V>> {
  const map = Map<K, V>().asMutable()
  let count = 0
  for (const [key, value] of collected) {
    map.set(key, valueOf(value))
    count += 1
    if (isBreak(count)) yield
  }
  return map.asImmutable()
}
