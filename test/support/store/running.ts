/** What a store is told of a service that never stops. */
export const RUNNING = new AbortController().signal
