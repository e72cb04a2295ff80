import { signal } from '@preact/signals'
import { readEventStream, type StreamEvent } from '../api/event-stream.ts'
import { asProblem, type ApiProblem } from '../api/problem.ts'
import { token, tokenWanted } from '../api/session.ts'

/** What is followed: by a stream, or where that fails by asking again and again. */
export interface Source {
  readonly streamPath: string
  /** Gets all of it. Returns the id of the event behind which a stream goes on; null: it is told where things stand. */
  load(signal: AbortSignal): Promise<string | null>
  /** Gets what has changed, by ETag. */
  poll(signal: AbortSignal): Promise<void>
  /** Takes an event; `reload` when it tells that something was missed, `over` when it is the last one. */
  take(event: StreamEvent): 'taken' | 'reload' | 'over'
}

/** `live`: by stream; `polling`: asked for every few seconds; `reconnecting`: what is shown may be old. */
export type Liveness = 'loading' | 'live' | 'polling' | 'reconnecting' | 'over'

const POLL_EVERY = 3000
const FIRST_WAIT = 500
const LONGEST_WAIT = 15_000

/** Follows one source until it is stopped: one stream at a time, none while the tab is hidden, and never two calls at once. */
export class Follower {
  readonly liveness = signal<Liveness>('loading')
  /** When what is shown was last known to be true, in milliseconds by our clock. */
  readonly asOf = signal<number | null>(null)
  /** Why there is nothing to be shown, and no use in asking again. */
  readonly problem = signal<ApiProblem | null>(null)

  private readonly over = new AbortController()
  private lastEventId: string | null = null
  private isLoaded = false
  private wait = FIRST_WAIT
  private failures = 0

  constructor(private readonly source: Source) {
    void this.run()
  }

  stop(): void {
    this.over.abort()
  }

  private get isOver(): boolean {
    return this.over.signal.aborted
  }

  private async run(): Promise<void> {
    while (!this.isOver) {
      await this.whenVisible()
      const hidden = new AbortController()
      const unlisten = onVisibility(() => {
        if (document.visibilityState === 'hidden') hidden.abort()
      })
      const either = AbortSignal.any([this.over.signal, hidden.signal])
      try {
        await this.follow(either)
      } catch (error) {
        if (!isAborted(either) && !(await this.settle(asProblem(error)))) return
      } finally {
        unlisten()
      }
      if (!isAborted(either)) await this.pollFor(this.nextWait(), either)
    }
  }

  /** Loads what is needed and reads the stream, until it ends. */
  private async follow(signal: AbortSignal): Promise<void> {
    if (!this.isLoaded) {
      this.lastEventId = (await this.source.load(signal)) ?? this.lastEventId
      this.isLoaded = true
      this.hear()
    }
    const turn = new AbortController()
    const turnedBack = { again: false }
    const listener = {
      onOpen: () => {
        this.failures = 0
        this.wait = FIRST_WAIT
        this.liveness.value = 'live'
        this.hear()
      },
      onSign: () => {
        this.hear()
      },
      onRetry: (milliseconds: number) => {
        this.wait = milliseconds
      },
      onEvent: (event: StreamEvent) => {
        if (turn.signal.aborted) return
        const verdict = this.source.take(event)
        if (verdict === 'taken') this.lastEventId = event.id ?? this.lastEventId
        if (verdict === 'reload') {
          this.isLoaded = false
          this.lastEventId = event.id
          turnedBack.again = true
        }
        if (verdict === 'over') this.end()
        if (verdict !== 'taken') turn.abort()
      },
    }
    try {
      await readEventStream(this.source.streamPath, this.lastEventId, listener, AbortSignal.any([signal, turn.signal]))
    } catch (error) {
      if (!turnedBack.again) throw error
    }
    if (turnedBack.again) await this.follow(signal)
  }

  private end(): void {
    this.liveness.value = 'over'
    this.over.abort()
  }

  private hear(): void {
    this.asOf.value = Date.now()
  }

  /** What to do about a refusal; false when there is no use in going on. */
  private async settle(problem: ApiProblem): Promise<boolean> {
    if (problem.status === 401) {
      await this.whenTokenEntered()
      return true
    }
    if (problem.isPassing) return true
    this.problem.value = problem
    this.end()
    return false
  }

  /** Asks again and again for some time, so that what is shown stays true while there is no stream. */
  private async pollFor(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.failures += 1
    if (this.liveness.value !== 'polling') this.liveness.value = this.isLoaded ? 'reconnecting' : 'loading'
    const end = performance.now() + milliseconds
    let wasAway = false
    while (!isAborted(signal)) {
      // A stream that broke once comes back most times: it is not worth a call.
      if (this.isLoaded && this.failures > 1) {
        try {
          await this.source.poll(signal)
          this.hear()
          this.liveness.value = 'polling'
          if (wasAway) return
        } catch (error) {
          if (isAborted(signal)) return
          wasAway = true
          this.liveness.value = 'reconnecting'
          if (!(await this.settle(asProblem(error)))) return
        }
      }
      const left = end - performance.now()
      if (left <= 0) return
      await sleep(Math.min(left, POLL_EVERY), signal)
    }
  }

  private nextWait(): number {
    const wait = this.wait
    this.wait = Math.min(LONGEST_WAIT, this.wait * 2)
    return wait / 2 + (Math.random() * wait) / 2
  }

  private whenVisible(): Promise<void> {
    if (document.visibilityState === 'visible') return Promise.resolve()
    return new Promise((resolve) => {
      const unlisten = onVisibility(settle)
      this.over.signal.addEventListener('abort', settle)
      function settle(): void {
        unlisten()
        resolve()
      }
    })
  }

  private whenTokenEntered(): Promise<void> {
    const refused = token.peek()
    return new Promise((resolve) => {
      const unsubscribe = token.subscribe((entered) => {
        if (entered === refused && tokenWanted.peek() !== null) return
        queueMicrotask(() => unsubscribe())
        resolve()
      })
      this.over.signal.addEventListener('abort', () => resolve())
    })
  }
}

/** Asked anew each time: it changes while one waits. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

function onVisibility(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener)
  return () => document.removeEventListener('visibilitychange', listener)
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(settle, milliseconds)
    signal.addEventListener('abort', settle)
    function settle(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', settle)
      resolve()
    }
  })
}
