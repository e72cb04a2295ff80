import { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { inTurns } from '../../runtime/turns.ts'
import { Connection } from './connection.ts'
import { Held } from './held.ts'
import { type CutConnection, UnsentBytes } from './unsent-bytes.ts'

export interface ConnectionsOptions {
  /** Bytes that may wait for clients. */
  readonly maxUnsentBytes: number
  /** The current tokens, or null: another value when they were read again. */
  readonly tokens: () => object | null
  /** Whether the current tokens permit a request. */
  readonly isPermitted: (request: FastifyRequest) => boolean
  readonly onCut: (cut: CutConnection) => void
}

/** Milliseconds between looks at tokens that were revoked: with the look at their file it is well below a second. */
const INTERVAL = 250
/** In every fourth look, who stands still is looked for too. */
const SWEEP = 4

/** The connections of all clients. */
export class Connections {
  readonly unsent: UnsentBytes
  private readonly bySocket = new WeakMap<Socket, Connection>()
  private readonly held = new Set<Held>()
  private timer: NodeJS.Timeout | undefined
  private ticks = 0
  private tokens: object | null

  constructor(private readonly options: ConnectionsOptions) {
    this.tokens = options.tokens()
    this.unsent = new UnsentBytes(options.maxUnsentBytes, options.onCut)
  }

  /** How many requests something is held for. */
  get holding(): number {
    return this.held.size
  }

  of({ raw: { socket } }: Pick<FastifyRequest, 'raw'>): Connection {
    return this.bySocket.get(socket) ?? this.add(socket)
  }

  /** Begins to hold something for a request whose turn it is. */
  hold(reply: FastifyReply): Held {
    const held = new Held(reply.request)
    this.held.add(held)
    held.onEnd(() => this.held.delete(held))
    this.of(reply.request).hold(held)
    if (!this.options.isPermitted(reply.request)) held.end('revoked')
    else if (reply.raw.destroyed) held.end('left')
    else reply.raw.once('close', () => held.end('left'))
    return held
  }

  start(): void {
    this.timer = setInterval(() => this.tick(), INTERVAL)
    this.timer.unref()
  }

  close(): void {
    clearInterval(this.timer)
  }

  private add(socket: Socket): Connection {
    const connection = new Connection(socket, this.unsent)
    this.bySocket.set(socket, connection)
    // One of a request that was injected never closes.
    if (socket instanceof Socket) this.unsent.add(connection.backlog)
    return connection
  }

  private tick(): void {
    this.ticks += 1
    this.endRevoked()
    if (this.ticks % SWEEP === 0) this.unsent.sweep(performance.now())
  }

  private endRevoked(): void {
    const tokens = this.options.tokens()
    if (tokens === this.tokens) return
    this.tokens = tokens
    void inTurns(this.revoke())
  }

  /** Thousands may be held with one token. */
  private *revoke(): Generator<void, void, void> {
    for (const held of [...this.held]) {
      if (!this.options.isPermitted(held.request)) held.end('revoked')
      yield
    }
  }
}
