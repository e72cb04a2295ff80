import type { IncomingMessage, Server } from 'node:http'
import type { FastifyReply } from 'fastify'

/** Requests whose client sends the body only after `100 Continue`. */
const waiting = new WeakSet<IncomingMessage>()

/** Node would send `100 Continue` before the guards have seen the request. */
export function listenForContinue(server: Server): void {
  server.on('checkContinue', (request, response) => {
    waiting.add(request)
    server.emit('request', request, response)
  })
}

/** Sends `100 Continue` to a client that waits for it: its request is not refused, and its body is read next. */
export function awaitBody({ raw, request }: FastifyReply): void {
  if (request.raw.headers.expect !== undefined && waiting.delete(request.raw)) raw.writeContinue()
}
