import type { Socket } from 'node:net'

/**
 * Detaches Node's parser from the bytes that still arrive: each chunk would be another error, or requests that nobody answers.
 * They are still read: unread bytes would hide that the client leaves, and reset the connection at its end.
 */
export function discardRest(socket: Socket): void {
  socket.removeAllListeners('data')
  socket.on('data', () => undefined)
  socket.resume()
}
