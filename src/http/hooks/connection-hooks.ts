import fastifyPlugin from 'fastify-plugin'
import type { Connections } from '../connections/connections.ts'

export interface ConnectionHooksOptions {
  readonly connections: Connections
  /** Requests wait for their turn here: where a hook responds before the guards. */
  readonly takesTurns: boolean
}

/** Looks after the connections from the start of the service to its end. */
export const connectionHooks = fastifyPlugin<ConnectionHooksOptions>(
  (app, { connections, takesTurns }, done) => {
    app.addHook('onReady', (ready) => {
      connections.start()
      ready()
    })
    app.addHook('onClose', (_app, closed) => {
      connections.close()
      closed()
    })
    if (takesTurns) {
      app.addHook('onRequest', (request, reply, next) => {
        connections.of(request).takeTurn(request.raw, reply.raw, next)
      })
    }
    done()
  },
  { name: 'connection-hooks', fastify: '5.x' },
)
