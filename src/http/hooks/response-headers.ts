import type { ResponseHook } from './response-hook.ts'

/** Of every answer; a route may set others for what it serves. */
export const RESPONSE_HEADERS = {
  'cache-control': 'private, no-cache',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const

const HEADERS = Object.entries(RESPONSE_HEADERS)

/** Every answer names its request, no browser guesses what it is or embeds it elsewhere, and no cache gives it to somebody else. */
export const responseHeaders: ResponseHook = ({ id }, reply) => {
  reply.header('x-request-id', id)
  for (const [name, value] of HEADERS) if (!reply.hasHeader(name)) reply.header(name, value)
}
