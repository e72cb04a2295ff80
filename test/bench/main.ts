import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { campaignDraft } from '../support/drafts.js'
import { measure, startBaseline, startCampaignd } from './child.js'
import type { LoadResult } from './load.js'

/**
 * `npm run bench`: each row is a ratio of two rates measured in the same minute, in rounds that alternate, since an
 * absolute figure says more about the machine than about the service.
 */

const ROUNDS = 5
const SECONDS = 3
const CONNECTIONS = 64
const GOOD_SHARE = 0.999

const scratch = mkdtempSync(join(tmpdir(), 'campaignd-bench-'))
try {
  console.log(
    `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}; ${ROUNDS} rounds of ${SECONDS} s\n`,
  )
  console.log('| row | ratio (median) | spread | campaignd, a second | baseline, a second |')
  console.log('| --- | --- | --- | --- | --- |')
  await patchAgainstNaive(100)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function patchAgainstNaive(experiments: number): Promise<void> {
  const draft = campaignDraft(experiments)
  const ids = draft.experiments.map(({ exp_id }) => exp_id)
  const ours = await startCampaignd(join(scratch, 'data'))
  const campaign = `${ours.url}/v1/campaigns/sweep`
  await send('POST', `${ours.url}/v1/campaigns`, draft)
  await send('PATCH', `${campaign}/experiments`, { updates: ids.map((exp_id) => ({ exp_id, status: 'running' })) })
  const path = join(scratch, 'naive.json')
  writeFileSync(path, await (await fetch(`${campaign}?format=llenergymeasure`)).text())
  const naive = await startBaseline('naive-service.ts', path)

  const body = JSON.stringify({ result_path: 'results/[<id>].json' })
  const load = { method: 'PATCH', body, connections: CONNECTIONS, seconds: SECONDS } as const
  const rounds: [LoadResult, LoadResult][] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push([
      await measure({ ...load, url: ours.url, paths: ids.map((id) => `/v1/campaigns/sweep/experiments/${id}`) }),
      await measure({ ...load, url: naive.url, paths: ids.map((id) => `/experiments/${id}`) }),
    ])
  }
  await ours.stop()
  await naive.stop()
  report(`PATCH one status, ${CONNECTIONS} connections, N = ${experiments}, against the naive handler`, rounds)
}

async function send(method: string, url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${url}: ${await answer.text()}`)
}

/** Prints a row. A row that was not answered well is no measurement, and fails the run. */
function report(name: string, rounds: readonly [LoadResult, LoadResult][]): void {
  for (const result of rounds.flat()) {
    if (result.good / (result.good + result.bad) < GOOD_SHARE) {
      throw new Error(`${name}: ${result.bad} of ${result.good + result.bad} answers were not 2xx`)
    }
  }
  const ratios = rounds.map(([ours, baseline]) => ours.rate / baseline.rate).sort((a, b) => a - b)
  const rate = (side: 0 | 1) => median(rounds.map((round) => round[side].rate)).toFixed(0)
  const spread = `${ratios.at(0)?.toFixed(1)} to ${ratios.at(-1)?.toFixed(1)}`
  console.log(`| ${name} | ${median(ratios).toFixed(1)} | ${spread} | ${rate(0)} | ${rate(1)} |`)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
