import { Fault } from './config-error.ts'
import { list } from './values.ts'

/** Where the service listens, and the names under which it may be called. */

const HOST_NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/

/** @param isPublicAllowed whether other machines may reach the address */
export function readHost(host: string, isPublicAllowed: boolean): string {
  if (host === '') throw new Fault('must not be empty')
  if (isLoopback(host) || isPublicAllowed) return host
  throw new Fault(
    `is ${host}, which other machines can reach, but there are no tokens. Set CAMPAIGND_TOKENS_FILE, listen on 127.0.0.1, ` +
      'or set CAMPAIGND_ALLOW_ANONYMOUS=true if every caller on that network may do anything',
  )
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

export function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  const hint = text.startsWith('tcp://')
    ? '. Kubernetes sets this variable for a service named campaignd: set enableServiceLinks: false, or use the --port flag'
    : ''
  throw new Fault(`is ${JSON.stringify(text)}, but must be a number from 0 to 65535${hint}`)
}

export function readHostNames(text: string): string[] {
  const names = list(text).map((name) => name.toLowerCase())
  const bad = names.find((name) => name.length > 253 || !HOST_NAME.test(name))
  if (bad === undefined) return names
  throw new Fault(`has ${JSON.stringify(bad)}, but must be host names without scheme or port, separated by commas`)
}

export function readOrigins(text: string): string[] {
  const origins = list(text)
  const bad = origins.find(
    (origin) => !/^https?:/.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin,
  )
  if (bad === undefined) return origins
  throw new Fault(
    `has ${JSON.stringify(bad)}, but must be origins such as https://dashboard.example, separated by commas`,
  )
}
