import { residentBytes } from '../../support/memory.js'
import { median } from '../../support/quantiles.js'
import { type Comparison, inMebibytes, P99_SLICE_SECONDS, serving } from '../against/comparison.js'
import { createRunning } from '../load/campaign.js'
import type { LiveResult, Seen } from '../load/live-load.js'
import { measureLive } from '../load/measure.js'
import { atLeast, below, P99, ROUNDS, type Row } from '../row.js'
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

export const liveRow: Row = {
  lines: [
    { name: 'live-share', title: SHARE, goal: atLeast(0.99) },
    { name: 'live-p99', title: `${UPDATE_P99}, against the same without readers`, goal: below(2) },
    {
      name: 'live-memory',
      title: `${READING}: memory at the end of a round, against its beginning`,
      goal: below(1.1),
    },
  ],
  measure: async (directory) => {
    const rounds = await measureRounds(directory)
    const p99 = (side: 'alone' | 'watched') => P99.words(median(rounds.map((round) => round[side].p99)))
    const sum = (what: keyof Seen) => rounds.reduce((total, { watched }) => total + watched[what], 0)
    return [
      {
        figures: rounds.map(({ watched }) => shareOf(watched)),
        ours: `${sum('seen')} seen, ${sum('late')} late, ${sum('missed')} missed`,
      },
      {
        figures: rounds.map(({ alone, watched }) => watched.p99 / alone.p99),
        ours: p99('watched'),
        baseline: p99('alone'),
      },
      { figures: rounds.map(({ growth }) => growth) },
    ]
  },
}

export const liveOfBuilds: Comparison = {
  lines: [
    { name: 'live-share', title: SHARE, better: 'more', words: (figure) => figure.toFixed(4) },
    { name: 'live-p99', title: UPDATE_P99, better: 'less', words: P99.words },
    { name: 'live-memory', title: `${READING}: resident after that`, better: 'less', words: inMebibytes },
  ],
  open: serving(async ({ url, pid }) => {
    const load = { ...(await prepare(url)), readers: READERS, seconds: P99_SLICE_SECONDS }
    return {
      slice: async () => {
        const result = await measureLive(load)
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
