import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { send } from '../support/http/client.js'
import { readmeBlocks } from '../support/readme.js'
import { messages, type Service, startCampaign, startService } from '../support/service/service.js'
import { runWorker } from '../support/service/worker-loop.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { isUsable } from '../support/tools.js'
import { until } from '../support/until.js'

/** The two loops of the READMEs, as they are written there, on the real service. */

const LOOPS = {
  sh: { program: 'sh', usable: isUsable('curl', ['curl', '--version']), code: loopIn('README.md', 'sh', 'One worker') },
  python: {
    program: 'python3',
    usable: isUsable('python3', ['python3', '--version']),
    code: loopIn('src/leases/README.md', 'python', 'A worker in Python'),
  },
} as const
type Language = keyof typeof LOOPS

const EXPERIMENTS = 12
const FAILS_ONCE = '0003'
const LEASE_SECONDS = 3

test.skipIf(!LOOPS.sh.usable || !LOOPS.python.usable)(
  'two workers of each kind run every experiment once, though the service is killed meanwhile, and end',
  { timeout: 120_000 },
  async () => {
    const dataDir = temporaryDirectory()
    // Long enough for a machine on which heartbeats come seconds late.
    const settings = { max_retries: 1, lease_seconds: 8 }
    const service = await startCampaign(EXPERIMENTS, { dataDir }, { settings })
    const command = commandThat(`
      # The first run of each worker outlasts its lease: without heartbeats the lease runs out.
      if [ "$(grep -c " $worker$" "$runs")" = 1 ]; then sleep 11; else sleep 0.3; fi
      [ "$1" != ${FAILS_ONCE} ] || [ "$(grep -c "^$1 " "$runs")" != 1 ] || { echo 'out of memory' >&2; exit 3; }`)
    const workers = (['sh', 'python', 'sh', 'python'] as const).map((language, index) =>
      startWorker(language, service, `${language}-${index}`, command.path),
    )
    await until('some are run', () => command.runs().length >= 5)
    await service.end('SIGKILL')
    const next = await startService({ dataDir, environment: { CAMPAIGND_PORT: new URL(service.url).port } })
    expect(await Promise.all(workers)).toEqual([0, 0, 0, 0])
    const log = [...messages(service), ...messages(next)]
    expect(log.filter((line) => line.includes('leases ran out'))).toEqual([])

    const { experiments } = (await send('GET', service.campaign)).json<CampaignManifest>()
    for (const { exp_id, status, attempt, attempts, config_path, result_path, worker } of experiments) {
      const failures = exp_id === FAILS_ONCE ? 1 : 0
      expect({ exp_id, status, attempt, result_path }).toEqual({
        ...{ exp_id, status: 'completed', attempt: 1 + failures, result_path: `results/${exp_id}.json` },
      })
      expect(attempts.map(({ status, failure_kind }) => `${status} ${failure_kind}`)).toEqual(
        Array.from({ length: failures }, () => 'failed error'),
      )
      expect(attempts.at(0)?.error ?? null).toEqual(
        failures === 0 ? null : expect.stringMatching(/^(exit status 3|out of memory\n)$/),
      )
      const workersOfRuns = [...attempts.map((past) => past.worker), worker]
      expect(command.runs().filter((run) => run.startsWith(`${exp_id} `))).toEqual(
        workersOfRuns.map((name) => `${exp_id} ${config_path} ${name}`),
      )
    }
  },
)

/** A command whose first run has to be stopped. */
const SLEEPS_ONCE = '[ "$(wc -l < "$runs")" != 1 ] || exec sleep 60'

describe.each(Object.keys(LOOPS) as Language[])('a worker in %s', (language) => {
  const workerTest = test.skipIf(!LOOPS[language].usable)

  workerTest(
    `a worker in ${language} stops its command when the campaign is paused with cancel_running, and runs it again after the pause`,
    async () => {
      const service = await startCampaign(1, {}, { settings: { max_retries: 0, lease_seconds: LEASE_SECONDS } })
      const command = commandThat(SLEEPS_ONCE)
      const worker = startWorker(language, service, 'w', command.path)
      await until('it runs', () => command.runs().length === 1)
      await send('PATCH', `${service.campaign}?cancel_running=true`, { settings: { paused: true } })
      const experiment = async () => {
        const { experiments } = (await send('GET', service.campaign)).json<CampaignManifest>()
        return experiments[0]
      }
      const stopped = { attempt: 1, worker: 'w', status: 'failed', failure_kind: 'interrupted', closed_by: 'pause' }
      await expect
        .poll(experiment, { timeout: 20_000 })
        .toMatchObject({ status: 'pending', failures: 0, losses: 0, attempts: [stopped] })
      await send('PATCH', service.campaign, { settings: { paused: false } })
      expect(await worker).toBe(0)
      expect(await experiment()).toMatchObject({ status: 'completed', attempt: 2, attempts: [stopped] })
      expect(command.runs()).toHaveLength(2)
    },
  )

  workerTest(
    `a worker in ${language} stops its command when the attempt was ended, and runs the next one`,
    async () => {
      const service = await startCampaign(1, {}, { settings: { max_retries: 0, lease_seconds: LEASE_SECONDS } })
      const command = commandThat(SLEEPS_ONCE)
      const worker = startWorker(language, service, 'w', command.path)
      await until('it runs', () => command.runs().length === 1)
      await service.report('0001', { status: 'pending' })
      expect(await worker).toBe(0)
      const { experiments } = (await send('GET', service.campaign)).json<CampaignManifest>()
      expect(experiments).toMatchObject([
        { status: 'completed', attempt: 2, attempts: [{ attempt: 1, status: 'failed', failure_kind: 'interrupted' }] },
      ])
      expect(command.runs()).toHaveLength(2)
    },
  )

  workerTest(`a worker in ${language} ends with an error when there is no such campaign`, async () => {
    const service = await startService()
    expect(await startWorker(language, service, 'w', 'true')).toBe(1)
  })
})

function loopIn(readme: string, language: string, section: string): string {
  const blocks = readmeBlocks(readme, language, (heading) => heading === section)
  const code = blocks.find((block) => block.includes('claims'))
  if (code === undefined) throw new Error(`${readme} has no loop of a worker in ${language} under ${section}`)
  return code
}

/** A command that appends each run to a file: the experiment, its config, and the worker. */
function commandThat(script: string): { readonly path: string; readonly runs: () => string[] } {
  const directory = temporaryDirectory()
  const [path, runs] = [join(directory, 'run.sh'), join(directory, 'runs')]
  appendFileSync(runs, '')
  writeFileSync(path, `#!/bin/sh\nruns='${runs}'\necho "$1 $2 $worker" >> "$runs"\n${script}\n`)
  chmodSync(path, 0o700)
  return { path, runs: () => readFileSync(runs, 'utf8').split('\n').slice(0, -1) }
}

function startWorker(language: Language, { url }: Service, worker: string, run: string): Promise<number | null> {
  return runWorker(LOOPS[language], { api: `${url}/v1`, campaign: 'sweep', worker, run })
}
