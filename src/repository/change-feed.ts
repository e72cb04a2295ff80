import type { CommittedEvent, Unsubscribe } from './campaign-store.ts'

/** Tells whoever listens what was committed, in order. */
export class CommitFeed {
  private readonly listeners = new Set<(event: CommittedEvent) => void>()

  subscribe(listener: (event: CommittedEvent) => void): Unsubscribe {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  emit(event: CommittedEvent): void {
    for (const listener of this.listeners) listener(event)
  }
}
