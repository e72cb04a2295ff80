import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { lingerIfUnread } from '../connections/lingering-close.ts'

/** Runs on every response just before it is sent: its status is final, its headers are not. */
export type ResponseHook = (request: FastifyRequest, reply: FastifyReply) => void

/** Headers of every response; a route may set other values. */
export const RESPONSE_HEADERS = {
  'cache-control': 'private, no-cache',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const

const HEADERS = Object.entries(RESPONSE_HEADERS)

/** Every response names its request, no browser guesses its type or embeds it elsewhere, and no shared cache keeps it. */
export const responseHeaders: ResponseHook = ({ id }, reply) => {
  reply.header('x-request-id', id)
  for (const [name, value] of HEADERS) if (!reply.hasHeader(name)) reply.header(name, value)
}

/** While the service drains, each response closes its connection: kept open, it would delay the stop. */
export function closeAfterResponse(app: FastifyInstance): ResponseHook {
  return (_request, reply) => {
    if (app.isDraining()) reply.header('connection', 'close')
  }
}

/** A response that leaves a body unread closes its connection, once the client could read it. */
export const closeIfUnread: ResponseHook = ({ raw }, reply) => {
  if (lingerIfUnread(raw)) reply.header('connection', 'close')
}
