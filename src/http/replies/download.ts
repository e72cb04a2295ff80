import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { HeldStates } from '../../live/held-states.ts'
import type { Committed } from '../../repository/campaign-store.ts'
import type { Connections } from '../connections/connections.ts'

export interface DownloadParts {
  readonly connections: Connections
  readonly service: { readonly held: Pick<HeldStates, 'hold'> }
}

/** Has browsers save the response under the name, which needs no quoting. */
export function saveAs(reply: FastifyReply, fileName: string): void {
  reply.header('content-disposition', `attachment; filename="${fileName}"`)
}

/**
 * A response that tells a state of a campaign, to be returned by a handler. A long one is read for as long as its client takes: it
 * ends when its token is revoked, unless it tells what a write changed, or when it keeps too much of the past in memory. Its client
 * can tell: the connection breaks.
 */
export function download<T extends Buffer | Readable>(
  reply: FastifyReply,
  { connections, service }: DownloadParts,
  committed: Committed,
  body: T,
): T {
  if (!(body instanceof Readable)) return body
  const held = connections.hold(reply)
  const release = service.held.hold(committed, () => {
    connections.of(reply.request).cut()
  })
  held.onEnd(() => {
    release()
    if (held.ended === 'revoked' && reply.request.method === 'GET') reply.raw.destroy()
  })
  return body
}
