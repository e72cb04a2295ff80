import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connections } from './connections/connections.ts'
import { respondToConnect, respondToExpectation } from './hooks/client-error.ts'
import { listenForContinue } from './hooks/expectation.ts'
import type { Limits } from './limits.ts'

/** Milliseconds between checks of the timeouts: with Node's 30 s a request could take much longer than its limit. */
const TIMEOUT_CHECK = 1_000

/**
 * Node's server.
 * @param handle is given each request when its turn on its connection has come: Fastify, whose objects for thousands of
 *   requests that only wait would take the event loop and memory
 */
export function openServer(handle: RequestListener, connections: Connections, limits: Limits): Server {
  const options = {
    headersTimeout: limits.headersTimeout * 1000,
    requestTimeout: limits.requestTimeout * 1000,
    keepAliveTimeout: limits.keepAliveTimeout * 1000,
    connectionsCheckingInterval: TIMEOUT_CHECK,
    requireHostHeader: false,
  }
  const inTurn = (begin: RequestListener) => (request: IncomingMessage, response: ServerResponse) => {
    connections.of({ raw: request }).takeTurn(request, response, () => {
      begin(request, response)
    })
  }
  const server = createServer(options, inTurn(handle))
  server.maxConnections = limits.maxConnections
  server.on('connect', respondToConnect)
  closeTunnelsToo(server)
  listenForContinue(server)
  server.on('checkExpectation', inTurn(respondToExpectation))
  return server
}

/** Of a connection that asks for a tunnel Node knows nothing any more: a stop would wait for its client. */
function closeTunnelsToo(server: Server): void {
  const tunnels = new Set<Duplex>()
  server.on('connect', (_request, socket) => {
    tunnels.add(socket)
    socket.once('close', () => tunnels.delete(socket))
  })
  const closeAll = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    closeAll()
    for (const socket of tunnels) socket.destroy()
  }
}
