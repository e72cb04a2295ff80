import { signal } from '@preact/signals'
import { readEventStream, type StreamEvent } from '../api/event-stream.ts'
import { type ApiProblem, asProblem } from '../api/problem.ts'
import { token, tokenWanted } from '../api/session.ts'

/** What a follower keeps current: by a stream, or where that fails by polling. */
export interface Source {
  readonly streamPath: string
  /** Loads all of it. Returns the id of the event after which a stream resumes; null: the stream begins with a snapshot. */
  load(signal: AbortSignal): Promise<string | null>
  /** Loads what has changed, by ETag. */
  poll(signal: AbortSignal): Promise<void>
  /** Applies an event; `reload` when something was missed, `ended` when it is the last one. */
  apply(event: StreamEvent): 'applied' | 'reload' | 'ended'
}

/** `live`: by stream; `polling`: loaded every few seconds; `reconnecting`: what is shown may be old. */
export type Liveness = 'loading' | 'live' | 'polling' | 'reconnecting' | 'ended'

const POLL_INTERVAL = 3000
const FIRST_DELAY = 500
const LONGEST_DELAY = 15_000

/** Keeps one source current until it is stopped: one stream at a time, none while the tab is hidden, never two calls at once. */
export class Follower {
  readonly liveness = signal<Liveness>('loading')
  /** How many streams were opened: what only events tell was missed before each. */
  readonly streams = signal(0)
  /** When what is shown was last known to be current, in milliseconds by the browser's clock. */
  readonly asOf = signal<number | null>(null)
  /** Why nothing can be shown, and a retry would not help. */
  readonly problem = signal<ApiProblem | null>(null)

  private readonly stopped = new AbortController()
  private lastEventId: string | null = null
  private isLoaded = false
  private delay = FIRST_DELAY
  private failures = 0

  constructor(private readonly source: Source) {
    void this.run()
  }

  stop(): void {
    this.stopped.abort()
  }

  private get isStopped(): boolean {
    return this.stopped.signal.aborted
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      await this.whenVisible()
      const hidden = new AbortController()
      const unlisten = onVisibility(() => {
        if (document.visibilityState === 'hidden') hidden.abort()
      })
      const either = AbortSignal.any([this.stopped.signal, hidden.signal])
      try {
        await this.follow(either)
      } catch (error) {
        if (!isAborted(either) && !(await this.recoverFrom(asProblem(error)))) return
      } finally {
        unlisten()
      }
      if (!isAborted(either)) await this.pollFor(this.nextDelay(), either)
    }
  }

  /** Loads what is needed and reads the stream, until it ends. */
  private async follow(signal: AbortSignal): Promise<void> {
    if (!this.isLoaded) {
      this.lastEventId = (await this.source.load(signal)) ?? this.lastEventId
      this.isLoaded = true
      this.markCurrent()
    }
    const reading = new AbortController()
    const outcome = { reloads: false }
    const listener = {
      onOpen: () => {
        this.failures = 0
        this.delay = FIRST_DELAY
        this.liveness.value = 'live'
        this.streams.value += 1
        this.markCurrent()
      },
      onActivity: () => {
        this.markCurrent()
      },
      onRetry: (milliseconds: number) => {
        this.delay = milliseconds
      },
      onEvent: (event: StreamEvent) => {
        if (reading.signal.aborted) return
        const result = this.source.apply(event)
        if (result === 'applied') this.lastEventId = event.id ?? this.lastEventId
        if (result === 'reload') {
          this.isLoaded = false
          this.lastEventId = event.id
          outcome.reloads = true
        }
        if (result === 'ended') this.end()
        if (result !== 'applied') reading.abort()
      },
    }
    try {
      await readEventStream(
        this.source.streamPath,
        this.lastEventId,
        listener,
        AbortSignal.any([signal, reading.signal]),
      )
    } catch (error) {
      if (!outcome.reloads) throw error
    }
    if (outcome.reloads) await this.follow(signal)
  }

  private end(): void {
    this.liveness.value = 'ended'
    this.stopped.abort()
  }

  private markCurrent(): void {
    this.asOf.value = Date.now()
  }

  /** Waits for a token where one is needed; false when a retry would not help. */
  private async recoverFrom(problem: ApiProblem): Promise<boolean> {
    if (problem.status === 401) {
      await this.whenTokenEntered()
      return true
    }
    if (problem.isTransient) return true
    this.problem.value = problem
    this.end()
    return false
  }

  /** Polls for some time, so that what is shown stays current while there is no stream. */
  private async pollFor(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.failures += 1
    if (this.liveness.value !== 'polling') this.liveness.value = this.isLoaded ? 'reconnecting' : 'loading'
    const end = performance.now() + milliseconds
    let wasUnreachable = false
    while (!isAborted(signal)) {
      // A stream that broke once mostly reconnects at once: no poll is needed.
      if (this.isLoaded && this.failures > 1) {
        try {
          await this.source.poll(signal)
          this.markCurrent()
          this.liveness.value = 'polling'
          if (wasUnreachable) return
        } catch (error) {
          if (isAborted(signal)) return
          wasUnreachable = true
          this.liveness.value = 'reconnecting'
          if (!(await this.recoverFrom(asProblem(error)))) return
        }
      }
      const left = end - performance.now()
      if (left <= 0) return
      await sleep(Math.min(left, POLL_INTERVAL), signal)
    }
  }

  private nextDelay(): number {
    const delay = this.delay
    this.delay = Math.min(LONGEST_DELAY, this.delay * 2)
    return delay / 2 + (Math.random() * delay) / 2
  }

  private whenVisible(): Promise<void> {
    if (document.visibilityState === 'visible') return Promise.resolve()
    return new Promise((resolve) => {
      const unlisten = onVisibility(finish)
      this.stopped.signal.addEventListener('abort', finish)
      function finish(): void {
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
      this.stopped.signal.addEventListener('abort', () => resolve())
    })
  }
}

/** A function, since TypeScript would take the signal for unchanged across an await. */
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
    const timer = setTimeout(finish, milliseconds)
    signal.addEventListener('abort', finish)
    function finish(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
  })
}
