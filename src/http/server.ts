import { createServer, type RequestListener, type Server } from 'node:http'
import type { Connections } from './connections/connections.ts'
import { respondToConnect } from './hooks/client-error.ts'
import { listenForExpectations } from './hooks/expectation.ts'
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
  const server = createServer(options, (request, response) => {
    connections.of({ raw: request }).takeTurn(request, response, () => {
      void handle(request, response)
    })
  })
  server.maxConnections = limits.maxConnections
  server.on('connect', respondToConnect)
  listenForExpectations(server)
  return server
}
