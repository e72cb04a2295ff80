import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { sampleText } from '../support/campaigns/samples.js'
import { send } from '../support/http/client.js'
import { hasEnded } from '../support/service/child-process.js'
import { freePort } from '../support/service/free-port.js'
import { listening } from '../support/service/service-process.js'
import { storedManifest } from '../support/store/files.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

/** The job that the service exists for, on a real manifest, with the commands that its README names. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLIENTS = 4
const FAILS_ONCE = '0056'

test('a campaign goes on after a failure and a SIGKILL: nothing is lost and nothing runs twice', async () => {
  const dataDir = temporaryDirectory()
  const port = await freePort()
  const api = `http://127.0.0.1:${port}/v1`
  const campaign = `${api}/campaigns/bbb9fb75`
  const killFirst = await npmStart(dataDir, port)
  const before = JSON.parse(sampleText('02_shuffled_18_failed_interrupted')) as CampaignManifest
  await call('POST', `${api}/campaigns`, before)
  const plan = await call<{ remaining: string[] }>('POST', `${campaign}/resume`)
  expect(plan.remaining).toEqual(
    before.experiments.filter(({ status }) => status !== 'completed').map(({ exp_id }) => exp_id),
  )

  const queue = [...plan.remaining]
  const acknowledged = new Map<string, string>()
  const clients = Array.from({ length: CLIENTS }, (_, client) =>
    work(campaign, `client-${client}`, queue, acknowledged),
  )
  while (acknowledged.size < 4) await sleep(2)
  const known = new Map(acknowledged)
  await killFirst()
  const killSecond = await npmStart(dataDir, port)
  const { experiments: survived } = await call<CampaignManifest>('GET', campaign)
  for (const [expId, resultPath] of known) {
    expect(survived.find(({ exp_id }) => exp_id === expId)).toMatchObject({
      status: 'completed',
      result_path: resultPath,
    })
  }
  await Promise.all(clients)

  expect(await call('GET', `${campaign}/progress`)).toMatchObject({ is_complete: true, state: 'completed' })
  await killSecond()
  const { experiments } = storedManifest(dataDir, 'bbb9fb75')
  for (const [index, { exp_id, status, attempt, result_path }] of experiments.entries()) {
    const imported = before.experiments[index]
    const started = imported?.status === 'pending' ? 0 : 1
    const runs = plan.remaining.includes(exp_id) ? (exp_id === FAILS_ONCE ? 2 : 1) : 0
    expect({ exp_id, status, attempt }).toEqual({ exp_id, status: 'completed', attempt: started + runs })
    expect(result_path).toBe(acknowledged.get(exp_id) ?? imported?.result_path)
  }
  const failed = experiments.find(({ exp_id }) => exp_id === FAILS_ONCE)
  expect(failed).toMatchObject({
    retry_count: 1,
    error: null,
    attempts: [{ attempt: 1, status: 'failed', error: 'CUDA out of memory' }],
  })
})

/** A worker without a claim: takes the next id of the list and reports on it, until the list is empty. */
async function work(
  campaign: string,
  worker: string,
  queue: string[],
  acknowledged: Map<string, string>,
): Promise<void> {
  for (let expId = queue.shift(); expId !== undefined; expId = queue.shift()) {
    const experiment = `${campaign}/experiments/${expId}`
    const { attempt } = await call<Experiment>('PATCH', experiment, { status: 'running', worker })
    await sleep(5 + Math.random() * 20)
    if (expId === FAILS_ONCE && attempt === 1) {
      await call('PATCH', experiment, { status: 'failed', attempt, error: 'CUDA out of memory', failure_kind: 'oom' })
      await call('POST', `${campaign}/retry`, { exp_ids: [expId] })
      queue.push(expId)
    } else {
      const resultPath = `results/aggregated/${expId}.json`
      await call('PATCH', experiment, { status: 'completed', attempt, worker, result_path: resultPath })
      acknowledged.set(expId, resultPath)
    }
  }
}

/** Repeats a call until it is answered: without a response its outcome is unknown. */
async function call<T>(method: string, url: string, body?: unknown): Promise<T> {
  for (;;) {
    const reply = await send(method, url, body).catch(() => null)
    if (reply !== null && reply.status !== 503) {
      expect(reply.status, `${method} ${url}: ${reply.text}`).toBeLessThan(300)
      return reply.json<T>()
    }
    await sleep(50)
  }
}

/**
 * `npm start`, but for the build, which the tests run behind already.
 * @returns kills the service itself, not npm, and waits until npm has ended too
 */
async function npmStart(dataDir: string, port: number): Promise<() => Promise<void>> {
  const npm = spawn('npm', ['start', '--silent', '--ignore-scripts'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CAMPAIGND_DATA_DIR: dataDir, CAMPAIGND_PORT: String(port) },
  })
  const { log, ended } = await listening(npm, dataDir)
  const kill = async () => {
    if (!hasEnded(npm)) process.kill(Number(log[0]?.['pid']), 'SIGKILL')
    await ended
  }
  onTestFinished(kill)
  return kill
}
