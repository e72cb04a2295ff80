import type { Socket } from 'node:net'

/** Bytes that are read of a connection on which nothing is a request any more: enough to hear a client out, no more. */
const MOST = 64 * 1024 * 1024

/** Where Node stops reading a body that nobody takes: below the socket, which does not know of it. */
interface Handle {
  reading: boolean
  readStart(): void
}

/** Connections on which nothing is parsed as HTTP any more. */
const detached = new WeakSet<Socket>()

export function isDetached(socket: Socket): boolean {
  return detached.has(socket)
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
