import { Garbage } from '../../runtime/garbage.ts'

/** Responses up to this size always fit: a refusal in their place would take as much, and workers must be told. */
const SMALL = 16 * 1024

/** Milliseconds after which a client that takes nothing of what waits for it is cut off. */
export const STALLED = 30_000
/** When the limit is reached, so is one that took fewer bytes a second for so many milliseconds: one byte now and then is no reading. */
const MIN_RATE = 32 * 1024
const SLOW_AT_LIMIT = 5_000

/** Bytes of requests that a client may send ahead of their responses when the limit is reached. */
const MAX_AHEAD = 64 * 1024

/** Milliseconds in which clients are not looked at again for room. */
const RELIEF_INTERVAL = 100

/** What waits for one client. */
export interface ClientBacklog {
  readonly bytes: number
  /** Of them those of requests that wait for their turn. */
  readonly ofRequests: number
  measure(): void
  /** For how many milliseconds the client has taken nothing of what waits for it. */
  stalledFor(now: number): number
  /** Bytes a second that it took while something waited; infinite when that has not lasted for so long. */
  rate(now: number, milliseconds: number): number
  cut(): void
}

export interface CutConnection {
  /** What waited for it. */
  readonly bytes: number
  /** For how long it took nothing. */
  readonly seconds: number
}

/**
 * The bytes that wait for clients, of all connections together. When they reach the limit, those clients are cut off that have
 * taken little for some seconds or sent many requests ahead, the one first for which most waits; what does not fit then is
 * refused.
 */
export class UnsentBytes {
  private readonly garbage = new Garbage()
  private readonly backlogs = new Set<ClientBacklog>()
  private total = 0
  private cutCount = 0
  private relievedAt = -Infinity

  constructor(
    private readonly limit: number,
    private readonly onCut: (cut: CutConnection) => void,
  ) {}

  get bytes(): number {
    return this.total
  }

  /** How many connections were cut off. */
  get cut(): number {
    return this.cutCount
  }

  add(backlog: ClientBacklog): void {
    this.backlogs.add(backlog)
  }

  remove(backlog: ClientBacklog): void {
    this.backlogs.delete(backlog)
  }

  change(bytes: number): void {
    this.total += bytes
  }

  /** Notes bytes that had to wait and do not any more: they are garbage. */
  leave(bytes: number): void {
    this.garbage.leave(bytes)
  }

  /** True when a response of that size fits, at the cost of those who take nothing. */
  makeRoom(bytes: number): boolean {
    if (bytes <= SMALL || this.fits(bytes)) return true
    const now = performance.now()
    if (now - this.relievedAt < RELIEF_INTERVAL) return false
    this.relievedAt = now
    this.relieve(bytes, now)
    return this.fits(bytes)
  }

  /** Cuts off those that have taken nothing for long. */
  sweep(now: number): void {
    for (const backlog of [...this.backlogs]) {
      backlog.measure()
      const stalled = backlog.stalledFor(now)
      if (stalled >= STALLED) this.cutOff(backlog, stalled)
    }
    // Streams write without asking for room.
    if (this.total > this.limit) this.relieve(0, now)
    this.garbage.collect(now)
  }

  /** One that is larger than the whole limit fits too, as long as half of that is free: each response can be given at times. */
  fits(bytes: number): boolean {
    return this.total + bytes <= this.limit || this.total <= this.limit / 2
  }

  private relieve(bytes: number, now: number): void {
    for (const backlog of this.backlogs) backlog.measure()
    const largestFirst = [...this.backlogs].sort((a, b) => b.bytes - a.bytes)
    for (const backlog of largestFirst) {
      if (backlog.bytes === 0 || this.fits(bytes)) return
      const stalled = backlog.stalledFor(now)
      const isSlow = backlog.rate(now, SLOW_AT_LIMIT) < MIN_RATE
      if (isSlow || backlog.ofRequests > MAX_AHEAD) this.cutOff(backlog, stalled)
    }
  }

  /** @param milliseconds for how long its client took nothing */
  cutOff(backlog: ClientBacklog, milliseconds: number): void {
    // Nothing more is known of one that is closed.
    if (!this.backlogs.has(backlog)) return
    const { bytes } = backlog
    backlog.cut()
    this.cutCount += 1
    this.onCut({ bytes, seconds: Math.round(milliseconds / 1000) })
  }
}
