import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Progress } from '#campaignd/domain/views/progress.js'
import { send } from '../support/http/client.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const DEMO = fileURLToPath(new URL('../../dist/cli/demo.js', import.meta.url))

test('the demo shows two campaigns that have ended and one that workers run, and leaves nothing behind', async () => {
  const TMPDIR = join(temporaryDirectory(), 'tmp')
  mkdirSync(TMPDIR)
  // A setting for another service: the demo must not take it up.
  const env = { TMPDIR, CAMPAIGND_PORT: '1', CAMPAIGND_DATA_DIR: '/nowhere' }
  const demo = spawn(process.execPath, [DEMO], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    demo.kill('SIGKILL')
  })
  const ended = once(demo, 'close')
  const url = await new Promise<string>((resolve) => {
    createInterface({ input: demo.stdout }).on('line', (line) => {
      const found = /^All campaigns: +(http:\S+)\/$/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  const { campaigns } = (await send('GET', `${url}/v1/campaigns?sort=campaign_name`)).json<{ campaigns: Progress[] }>()
  expect(
    campaigns.map(({ state }) => state).filter((state) => state === 'completed' || state === 'failed'),
  ).toHaveLength(2)
  const completed = async () => {
    const { counts } = (await send('GET', `${url}/v1/campaigns/nightly/progress`)).json<Progress>()
    return counts.completed
  }
  const before = await completed()
  await expect.poll(completed).toBeGreaterThan(before)
  demo.kill('SIGINT')
  expect(await ended).toEqual([0, null])
  expect(readdirSync(TMPDIR)).toEqual([])
})
