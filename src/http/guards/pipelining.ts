import { MAX_QUEUED } from '../connections/connection.ts'
import type { Connections } from '../connections/connections.ts'
import { HttpError } from '../problems/problem.ts'
import type { Guard } from './guard.ts'

/** Refuses a client that pipelines without end, once: its connection is ignored from then on. */
export function pipelining(connections: Connections): Guard {
  return (request) => {
    if (!connections.of(request).isOverrun(request.raw)) return null
    return new HttpError(
      'too-many-requests',
      `More than ${MAX_QUEUED} requests of this connection wait for a response.`,
    )
  }
}
