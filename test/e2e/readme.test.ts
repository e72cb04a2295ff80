import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { readmeBlocks } from '../support/readme.js'
import { startService } from '../support/service/service.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('the curl walk of the README works as it is written, from top to bottom', async () => {
  const service = await startService()
  // The loop of a worker is a program of its own, with tests of its own.
  const blocks = readmeBlocks('sh', (heading) => heading !== 'A worker')
  const calls = blocks.filter((script) => script.includes('curl '))
  expect(calls.length).toBeGreaterThanOrEqual(8)
  const script = calls.join('\n').replaceAll('http://localhost:8080', service.url)
  const { stdout } = await promisify(execFile)(
    'bash',
    ['-euo', 'pipefail', '-c', script.replaceAll('curl -sS', 'curl -sS --fail-with-body')],
    {
      cwd: ROOT,
    },
  )
  expect(stdout).toContain('"error":"CUDA out of memory"')
  expect(stdout).toContain('{"retried":["0002"],"skipped":[],"revision":5}')
  expect(stdout).toContain('"progress_fraction":0.5')
  expect(stdout).toContain('"heartbeat_seconds":20')
  expect(stdout).toContain('"cancel":false')
  expect(stdout).toContain('"seconds_since_heartbeat":')
  expect(stdout).toContain('event: snapshot')
  expect(stdout).toContain('304')
  expect(stdout).toContain('"state":"completed"')
  expect(stdout).toContain('201')
  expect(stdout).toContain('"remaining":["0047","0052"')
})
