import { residentBytes } from '../../support/memory.js'
import { median } from '../../support/quantiles.js'
import { type Comparison, inMebibytes, P99_SLICE_SECONDS, serving } from '../against/comparison.js'
import { createRunning } from '../load/campaign.js'
import type { LiveResult } from '../load/live-load.js'
import { measureLive } from '../load/measure.js'
import { type Finding, P99, ROUNDS, type Row } from '../row.js'
import { startCampaignd } from '../services/child.js'

const READERS = 1000
const RATE = 200
const SECONDS = 10
const N = 100

const READING = `${READERS} readers under ${RATE} updates a second`
const SHARE = `${READING}: share of changes that a reader sees within 250 ms of their reply`
const UPDATE_P99 = `${READING}: p99 of an update`

interface Round {
  readonly alone: LiveResult
  readonly watched: LiveResult
  readonly growth: number
}

let measured: Promise<readonly Round[]> | null = null

/** Three goals of one measurement. */
export const liveRows: readonly Row[] = [
  {
    ...{ name: 'live-share', title: SHARE, goal: { atLeast: 0.99 } },
    measure: (directory) => finding(directory, ({ watched }) => shareOf(watched), countsOf),
  },
  {
    ...{ name: 'live-p99', title: `${UPDATE_P99}, against the same without readers`, goal: { below: 2 } },
    measure: (directory) => finding(directory, ({ alone, watched }) => watched.p99 / alone.p99, p99Of),
  },
  {
    name: 'live-memory',
    title: `${READING}: memory at the end of a round, against its beginning`,
    goal: { below: 1.1 },
    measure: (directory) => finding(directory, ({ growth }) => growth),
  },
]

export const liveOfBuilds: Comparison = {
  rows: [
    { name: 'live-share', title: SHARE, better: 'more', words: (figure) => figure.toFixed(4) },
    { name: 'live-p99', title: UPDATE_P99, better: 'less', words: P99.words },
    { name: 'live-memory', title: `${READING}: resident after that`, better: 'less', words: inMebibytes },
  ],
  open: serving(async ({ url, pid }) => {
    const load = await prepare(url)
    const watch = () => measureLive({ ...load, readers: READERS, seconds: P99_SLICE_SECONDS })
    return {
      warmUp: watch,
      slice: async () => {
        const result = await watch()
        return [shareOf(result), result.p99, residentBytes(pid)]
      },
    }
  }),
}

async function prepare(url: string) {
  const { path, paths } = await createRunning(url, N)
  return { url, paths, events: `${path}/events`, rate: RATE }
}

const shareOf = ({ seen, late, missed }: LiveResult) => (seen - late) / (seen + missed)

async function finding(
  directory: string,
  figureOf: (round: Round) => number,
  absolute: (rounds: readonly Round[]) => [ours: string, baseline: string] = () => ['', ''],
): Promise<Finding> {
  measured ??= measureRounds(directory)
  const rounds = await measured
  const [ours, baseline] = absolute(rounds)
  return { figures: rounds.map(figureOf), unit: '', ours, baseline }
}

function countsOf(rounds: readonly Round[]): [string, string] {
  const sum = (of: (result: LiveResult) => number) => rounds.reduce((total, { watched }) => total + of(watched), 0)
  return [`${sum(({ seen }) => seen)} seen, ${sum(({ late }) => late)} late, ${sum(({ missed }) => missed)} missed`, '']
}

function p99Of(rounds: readonly Round[]): [string, string] {
  const p99 = (side: 'alone' | 'watched') => P99.words(median(rounds.map((round) => round[side].p99)))
  return [p99('watched'), p99('alone')]
}

async function measureRounds(directory: string): Promise<readonly Round[]> {
  await using server = await startCampaignd(directory)
  const load = { ...(await prepare(server.url)), seconds: SECONDS }
  await measureLive({ ...load, readers: READERS, seconds: 3 })
  const rounds = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const alone = await measureLive({ ...load, readers: 0 })
    const before = residentBytes(server.pid)
    const watched = await measureLive({ ...load, readers: READERS })
    rounds.push({ alone, watched, growth: residentBytes(server.pid) / before })
  }
  return rounds
}
