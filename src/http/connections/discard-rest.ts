import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** Bytes that are read of a connection on which nothing is a request any more: enough to hear a client out, no more. */
const MOST = 64 * 1024 * 1024

/** Where Node stops reading a body that nobody takes: below the socket, which does not know of it. */
interface Handle {
  reading: boolean
  readStart(): void
}

/** Node's parser of a connection. */
interface Parser {
  /** Is given each request, and returns how to go on. */
  onIncoming: (request: IncomingMessage) => number
}

/** The parser of Node is to leave the rest of its bytes alone: `on_headers_complete` in llhttp's README. */
const STOP = 2

/** Connections on which nothing is parsed as HTTP any more. */
const detached = new WeakSet<Socket>()

export function isDetached(socket: Socket): boolean {
  return detached.has(socket)
}

/**
 * Has Node's parser end with the current request. It would go on to the end of the bytes that came with it, which can be thousands of
 * requests; what does not know of this parses them, and they are ignored.
 */
export function stopParsing(socket: Socket): void {
  const { parser } = socket as Socket & { readonly parser?: Parser | null }
  if (parser !== null && parser !== undefined) parser.onIncoming = () => STOP
}

/**
 * Detaches Node's parser from the bytes that still arrive: they are no request, or the rest of one that has its response already.
 * They are still read: unread bytes would hide that the client leaves, and reset the connection at its end.
 */
export function discardRest(socket: Socket): void {
  detached.add(socket)
  let left = MOST
  socket.removeAllListeners('data')
  socket.on('data', ({ length }: Buffer) => {
    left -= length
    if (left < 0) socket.destroy()
  })
  socket.resume()
  const { _handle: handle } = socket as Socket & { readonly _handle?: Handle | null }
  if (handle === null || handle === undefined) return
  handle.reading = true
  handle.readStart()
}
