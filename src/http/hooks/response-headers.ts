import type { ResponseHook } from './response-hook.ts'

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
