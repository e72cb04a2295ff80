import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { readmeBlocks } from '../support/readme.js'
import { startService } from '../support/service/service.js'
import { runWorker } from '../support/service/worker-loop.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { isUsable } from '../support/tools.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Walk {
  readonly readme: string
  /** The least number of blocks, so that none is lost unnoticed. */
  readonly blocks: number
  /** Parts of what the calls print. */
  readonly prints: readonly string[]
}

const WALKS: readonly Walk[] = [
  {
    readme: 'src/http/README.md',
    blocks: 8,
    prints: [
      '"error":"CUDA out of memory"',
      '{"retried":["0002"],"skipped":[],"revision":5}',
      '"progress_fraction":0.5',
      '201',
      '"remaining":["0047","0052"',
      '0042,vllm',
    ],
  },
  {
    readme: 'src/leases/README.md',
    blocks: 1,
    prints: ['"heartbeat_seconds":20', '"cancel":false', '"seconds_since_heartbeat":'],
  },
  { readme: 'src/live/README.md', blocks: 3, prints: ['event: snapshot', '304', '"state":"completed"'] },
]

/** Runs the calls of a README in one shell, to the first that fails; returns what they print. */
async function run(scripts: readonly string[], url: string, cwd: string): Promise<string> {
  const script = scripts.join('\n').replaceAll('curl -sS', 'curl -sS --fail-with-body')
  const env = { ...process.env, api: `${url}/v1` }
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd, env })
  return stdout
}

test.each(WALKS)('the curl walk of $readme works as it is written, from top to bottom', async (walk) => {
  const service = await startService()
  const calls = readmeBlocks(walk.readme, 'sh').filter((script) => script.includes('curl '))
  expect(calls.length).toBeGreaterThanOrEqual(walk.blocks)
  const printed = await run(calls, service.url, ROOT)
  for (const text of walk.prints) expect(printed).toContain(text)
})

test.skipIf(!isUsable('python3', ['python3', '--version']))(
  'the README leads from a folder of configs to a campaign that one worker completes',
  async () => {
    const service = await startService()
    const folder = temporaryDirectory()
    mkdirSync(join(folder, 'configs'))
    for (const name of ['pytorch_llama3', 'vllm_llama3']) writeFileSync(join(folder, 'configs', `${name}.yaml`), name)
    writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\necho "$1 $2" >> runs\n', { mode: 0o700 })
    const calls = readmeBlocks('README.md', 'sh').filter((script) => script.includes('curl '))
    const [create = '', code = '', follow = '', ...more] = calls
    expect(more).toEqual([])
    expect(await run([create], service.url, folder)).toBe('201\n')
    const environment = { api: `${service.url}/v1`, campaign: 'smoke', worker: 'w', run: './run.sh' }
    expect(await runWorker({ program: 'sh', code }, environment, folder)).toBe(0)
    const printed = await run([follow], service.url, folder)
    expect(printed).toContain('"counts":{"pending":0,"running":0,"completed":6,"failed":0,"skipped":0}')
    expect(printed).toContain('"state":"completed"')
  },
)
