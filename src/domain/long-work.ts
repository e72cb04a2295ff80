/**
 * Work that may take long, such as a decision about 100,000 experiments: it yields wherever others may get their turn. What it reads
 * are immutable values, so nothing that happens meanwhile disturbs it.
 */
export type LongWork<T> = Generator<void, T, void>

export function isLongWork<T>(value: object | LongWork<T>): value is LongWork<T> {
  return typeof (value as Partial<LongWork<T>>).next === 'function'
}

/** Does all of the work in one go. */
export function atOnce<T>(work: LongWork<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Items between two breaks: to look at the clock at each costs as much as some of them do. */
const ITEMS = 32

/** Whether work that does one item after the other yields after that of the index. */
export function isBreak(index: number): boolean {
  return index % ITEMS === ITEMS - 1
}

/** All items, as a list. */
export function* listOf<T>(items: Iterable<T>): LongWork<T[]> {
  const list: T[] = []
  for (const item of items) {
    list.push(item)
    if (isBreak(list.length)) yield
  }
  return list
}

/** All items, as a map. */
export function* mapOf<T, K, V>(items: Iterable<T>, entryOf: (item: T) => readonly [K, V]): LongWork<Map<K, V>> {
  const map = new Map<K, V>()
  let count = 0
  for (const item of items) {
    map.set(...entryOf(item))
    count += 1
    if (isBreak(count)) yield
  }
  return map
}
