import { Connections } from '#campaignd/http/connections/connections.js'

/** Connections of clients that may do everything. */
export function anyConnections(): Connections {
  return new Connections({
    ...{ maxUnsentBytes: 1024 * 1024, tokens: () => null, isPermitted: () => true },
    onCut: () => undefined,
  })
}
