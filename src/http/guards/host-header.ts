import { isIP, isIPv6 } from 'node:net'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered by whatever name the service is called: for probes, which tell nothing. */
    readonly isAnyHost?: boolean
  }
}

export interface HostHeaderOptions {
  /** Names beside localhost by which the service may be called, in lower case. */
  readonly allowedHosts: readonly string[]
}

/**
 * HTTP/1.1 wants one Host. Node would refuse its lack itself, but with an empty answer; of two it would take the first,
 * where a proxy before it may have judged the second.
 *
 * A name that is not ours is refused: a page of somebody else can have its own name resolved to our address, and then the
 * browser takes us for a part of that page. It cannot do so with an address.
 */
export function hostHeader({ allowedHosts }: HostHeaderOptions): Guard {
  const names = new Set(['localhost', ...allowedHosts])
  // Nearly all calls come by one name, and to take it apart costs more than all else that is looked at here.
  let last: string | undefined
  return ({ raw }, _reply, route) => {
    const { httpVersion, rawHeaders, headers } = raw
    const { host } = headers
    const count = countHosts(rawHeaders)
    if (count > 1) return new HttpError('malformed-request', 'The header Host is there more than once.')
    if (count === 0 && httpVersion === '1.1') return new HttpError('malformed-request', 'The header Host is missing.')
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
  const detail = `The service is not called ${name}. If it is, list the name in CAMPAIGND_ALLOWED_HOSTS.`
  return new HttpError('misdirected-request', detail)
}
