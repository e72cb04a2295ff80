import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { listening, type Service, spawnService } from './service-process.js'

/**
 * One service for all tests of a file: for tests that only look.
 * @param before puts into the data directory what is to be there at the start
 * @param fill creates what is to be looked at
 */
export function useService(
  isNeeded: boolean,
  before: (dataDir: string) => void,
  fill: (url: string) => Promise<void>,
): () => Service {
  const running: { service?: Service } = {}
  const dataDir = mkdtempSync(join(tmpdir(), 'campaignd-'))
  beforeAll(async () => {
    if (!isNeeded) return
    before(dataDir)
    running.service = await listening(spawnService({ dataDir }), dataDir)
    await fill(running.service.url)
  })
  afterAll(async () => {
    await running.service?.end('SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
  })
  return () => {
    if (running.service === undefined) throw new Error('the service does not run')
    return running.service
  }
}
