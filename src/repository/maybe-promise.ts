/** A value that may be there at once, as the leases of the file store: a turn of the event loop would slow heartbeats down. */
export type MaybePromise<T> = T | Promise<T>

/** What `use` returns for the value: at once when the value is there. */
export function whenThere<T, U>(value: MaybePromise<T>, use: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(use) : use(value)
}
