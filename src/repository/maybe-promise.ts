/** A value that may be there at once: the file store keeps leases in memory, and a turn of the event loop costs a heartbeat much. */
export type MaybePromise<T> = T | Promise<T>

/** What `use` makes of the value: at once when the value is there. */
export function whenThere<T, U>(value: MaybePromise<T>, use: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(use) : use(value)
}
