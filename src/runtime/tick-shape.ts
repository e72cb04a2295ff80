import { executionAsyncResource } from 'node:async_hooks'

const kept: object[] = []

/**
 * Keeps one of the objects by which Node queues what runs in its next tick. While none exists, a garbage collection may discard
 * their hidden class, and V8 then builds every later one slowly until the process ends.
 */
export function keepTickShape(): void {
  process.nextTick(() => {
    kept.push(executionAsyncResource())
  })
}
