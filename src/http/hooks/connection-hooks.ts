import fastifyPlugin from 'fastify-plugin'
import type { Connections } from '../connections/connections.ts'

export interface ConnectionHooksOptions {
  readonly connections: Connections
}

/** Looks after the connections from the start of the service to its end. */
export const connectionHooks = fastifyPlugin<ConnectionHooksOptions>(
  (app, { connections }, done) => {
    app.addHook('onReady', (ready) => {
      connections.start()
      ready()
    })
    app.addHook('onClose', (_app, closed) => {
      connections.close()
      closed()
    })
    done()
  },
  { name: 'connection-hooks', fastify: '5.x' },
)
