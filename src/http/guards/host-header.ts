import { isIP, isIPv6 } from 'node:net'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Any Host is accepted: for probes, whose responses reveal nothing. */
    readonly isAnyHost?: boolean
  }
}

export interface HostHeaderOptions {
  /** Host names of the service beside localhost, in lower case. */
  readonly allowedHosts: readonly string[]
}

/**
 * Refuses a request without exactly one Host. Node would refuse a missing one without a body; of two it would use the first,
 * where a proxy may have checked the second. Refuses a name that is not listed, against DNS rebinding: a page can have its own
 * name resolved to this address, and the browser then treats the service as its origin. An address cannot be rebound.
 */
export function hostHeader({ allowedHosts }: HostHeaderOptions): Guard {
  const names = new Set(['localhost', ...allowedHosts])
  // Nearly all requests have one Host, and parsing it costs more than the rest of this guard.
  let last: string | undefined
  return ({ raw }, _reply, route) => {
    const { httpVersion, rawHeaders, headers } = raw
    const { host } = headers
    const count = countHosts(rawHeaders)
    if (count > 1) return new HttpError('malformed-request', 'The request has more than one Host header.')
    if (count === 0 && httpVersion === '1.1')
      return new HttpError('malformed-request', 'The request has no Host header.')
    if (host === last) return null
    if (host !== undefined && !isAllowed(host, names)) return route.isAnyHost === true ? null : misdirected(host)
    last = host
    return null
  }
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

function isAllowed(host: string, names: ReadonlySet<string>): boolean {
  const bracketed = /^\[([^\]]*)\](:\d*)?$/.exec(host)?.[1]
  if (bracketed !== undefined) return isIPv6(bracketed)
  const name = host.replace(/:\d*$/, '')
  return isIP(name) === 4 || names.has(name.toLowerCase().replace(/\.$/, ''))
}

function misdirected(host: string): HttpError {
  const name = JSON.stringify(host.slice(0, 256))
  const detail = `${name} is not a host name of this service. If it should be, add it to CAMPAIGND_ALLOWED_HOSTS.`
  return new HttpError('misdirected-request', detail)
}
