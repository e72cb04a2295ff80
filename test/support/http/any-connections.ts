import { Connections } from '#campaignd/http/connections/connections.js'
import { Garbage } from '#campaignd/runtime/garbage.js'

/** Connections of clients that may do everything. */
export function anyConnections(): Connections {
  return new Connections({
    ...{ maxUnsentBytes: 1024 * 1024, garbage: new Garbage(), tokens: () => null, isPermitted: () => true },
    onCut: () => undefined,
  })
}
