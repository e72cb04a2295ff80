import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import fastifyPlugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The call changes nothing that is kept, and comes often: it leaves its line in the log where reads do. */
    readonly isLoggedAsRead?: boolean
  }
}

const ACCEPTABLE = /^[A-Za-z0-9._:@+=/-]{1,128}$/

/** Tells requests of this run of the service from those of another. */
const run = randomBytes(4).toString('hex')
let count = 0

function next(): string {
  count += 1
  return `${run}-${count.toString(36)}`
}

/** The client's own `x-request-id` if it is one that a log can hold, else one of ours. */
function generate(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : next()
}

/**
 * Every answer names its request, and every request leaves one line in the log, with who made it: changes at info, reads at
 * debug.
 */
const plugin = fastifyPlugin(
  (app, _options, done) => {
    app.addHook('onRequest', (request, reply, done) => {
      reply.header('x-request-id', request.id)
      done()
    })
    app.addHook('onResponse', (request, reply, next) => {
      const { method, url, routeOptions } = request
      const isRead = method === 'GET' || method === 'HEAD' || routeOptions.config.isLoggedAsRead === true
      const level = isRead ? 'debug' : 'info'
      const milliseconds = Math.round(reply.elapsedTime * 100) / 100
      request.log[level](
        { actor: request.actor?.name, method, url, status: reply.statusCode, milliseconds },
        'answered',
      )
      next()
    })
    done()
  },
  { name: 'request-identity', fastify: '5.x' },
)

export const requestIdentity = { next, generate, plugin }
