import { startCampaignd, type Server } from '../services/child.js'
import type { Comparison, Subject } from './comparison.js'

export type Measuring = Pick<Subject, 'warmUp' | 'slice'>

/** A measurement of a service that keeps running. It is stopped when it cannot be prepared. */
export function serving(prepare: (server: Server) => Promise<Measuring>): Comparison['open'] {
  return async (main, directory) => {
    const server = await startCampaignd(directory, main)
    try {
      return { ...(await prepare(server)), close: () => server.stop() }
    } catch (error) {
      await server.stop()
      throw error
    }
  }
}
