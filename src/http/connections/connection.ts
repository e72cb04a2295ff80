import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Backlog } from './backlog.ts'
import { discardRest, stopParsing } from './discard-rest.ts'
import type { Held } from './held.ts'
import type { UnsentBytes } from './unsent-bytes.ts'

/** Requests of one connection that may wait behind the one whose response is next. */
export const MAX_QUEUED = 16

/** Bytes of memory that a request takes while it waits, beside its headers. */
const QUEUED_REQUEST = 2048

/** What the service knows of one client: its requests that wait, the bytes that wait for it, and what is held for it. */
export class Connection {
  readonly backlog: Backlog
  private readonly held = new Set<Held>()
  private queued = 0
  private overrun: IncomingMessage | null = null
  private hasClosed = false

  constructor(
    private readonly socket: Socket,
    private readonly unsent: UnsentBytes,
  ) {
    this.backlog = new Backlog(socket, unsent)
    // The only listener, however many requests there are. A response that never had its turn tells no end of itself.
    socket.once('close', () => this.close())
  }

  get isClosed(): boolean {
    return this.hasClosed
  }

  /** The request sent on and on behind others: it is to be refused, and those behind it are ignored. */
  isOverrun(request: IncomingMessage): boolean {
    return this.overrun === request
  }

  /**
   * Begins a request when the response before it has been taken: Node hands over all requests that arrive in one chunk at once,
   * and their responses would all be in memory for a client that reads none.
   */
  takeTurn(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
    // Nearly always: a response without its turn has no socket.
    if (response.socket !== null) begin()
    else if (this.overrun === null) this.queue(request, response, begin)
    else this.ignore(request)
  }

  /** Ends it with the connection. */
  hold(held: Held): void {
    if (this.hasClosed) held.end('left')
    else this.held.add(held)
    held.onEnd(() => this.held.delete(held))
  }

  /** Closes it at once: its client reads too slowly for what is kept for it. */
  cut(): void {
    this.unsent.cutOff(this.backlog, this.backlog.stalledFor(performance.now()))
  }

  private queue(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
    const bytes = sizeOf(request)
    if (this.queued === MAX_QUEUED || !this.unsent.fits(bytes)) {
      this.overrun = request
      // With the response to it the connection closes.
      response.shouldKeepAlive = false
      stopParsing(this.socket)
      // Not while the chunk is parsed that it came with.
      setImmediate(discardRest, this.socket)
    }
    this.queued += 1
    this.backlog.queue(bytes)
    response.once('socket', () => {
      this.queued -= 1
      this.backlog.queue(-bytes)
      begin()
    })
  }

  /** What has arrived with it is in memory until the connection closes. */
  private ignore(request: IncomingMessage): void {
    this.backlog.queue(sizeOf(request))
    if (!this.unsent.fits(0)) this.cut()
  }

  private close(): void {
    this.hasClosed = true
    this.backlog.close()
    for (const held of this.held) held.end('left')
  }
}

function sizeOf({ rawHeaders, url = '' }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, QUEUED_REQUEST + url.length)
}
