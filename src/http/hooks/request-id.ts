import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const ACCEPTABLE = /^[A-Za-z0-9._:@+=/-]{1,128}$/

/** Distinguishes the requests of this run of the service from those of another. */
const run = randomBytes(4).toString('hex')
let count = 0

/** A new id. */
export function nextRequestId(): string {
  count += 1
  return `${run}-${count.toString(36)}`
}

/** The client's own `x-request-id` if it is safe to log, else a new id. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : nextRequestId()
}
