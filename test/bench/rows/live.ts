import { residentBytes } from '../../support/memory.js'
import { median } from '../../support/quantiles.js'
import { createRunning } from '../load/campaign.js'
import { startCampaignd } from '../services/child.js'
import type { LiveResult } from '../load/live-load.js'
import { measureLive } from '../load/measure-live.js'
import { ROUNDS, type Finding, type Row } from '../row.js'

const READERS = 1000
const RATE = 200
const SECONDS = 10
const N = 100

const READING = `${READERS} readers under ${RATE} updates a second`

interface Measured {
  readonly rounds: readonly { readonly alone: LiveResult; readonly watched: LiveResult; readonly growth: number }[]
}

let measured: Promise<Measured> | null = null

/** Three goals of one measurement. */
export const liveRows: readonly Row[] = [
  {
    name: 'live-share',
    title: `${READING}: share of changes that a reader sees within 250 ms of their answer`,
    goal: { atLeast: 0.99 },
    measure: (directory) =>
      finding(directory, ({ watched: { seen, late, missed } }) => (seen - late) / (seen + missed), shareOf),
  },
  {
    name: 'live-p99',
    title: `${READING}: p99 of an update, against the same without readers`,
    goal: { below: 2 },
    measure: (directory) => finding(directory, ({ alone, watched }) => watched.p99 / alone.p99, p99Of),
  },
  {
    name: 'live-memory',
    title: `${READING}: memory at the end of a round, against its beginning`,
    goal: { below: 1.1 },
    measure: (directory) =>
      finding(
        directory,
        ({ growth }) => growth,
        () => ['', ''],
      ),
  },
]

async function finding(
  directory: string,
  figureOf: (round: Measured['rounds'][number]) => number,
  absolute: (rounds: Measured['rounds']) => [ours: string, baseline: string],
): Promise<Finding> {
  measured ??= measureRounds(directory)
  const { rounds } = await measured
  const [ours, baseline] = absolute(rounds)
  return { figures: rounds.map(figureOf), unit: '', ours, baseline }
}

function shareOf(rounds: Measured['rounds']): [string, string] {
  const sum = (of: (result: LiveResult) => number) => rounds.reduce((total, { watched }) => total + of(watched), 0)
  return [`${sum(({ seen }) => seen)} seen, ${sum(({ late }) => late)} late, ${sum(({ missed }) => missed)} missed`, '']
}

function p99Of(rounds: Measured['rounds']): [string, string] {
  const p99 = (side: 'alone' | 'watched') => `${median(rounds.map((round) => round[side].p99)).toFixed(1)} ms`
  return [p99('watched'), p99('alone')]
}

async function measureRounds(directory: string): Promise<Measured> {
  const server = await startCampaignd(directory)
  try {
    const { path, paths } = await createRunning(server.url, N)
    const load = { url: server.url, paths, events: `${path}/events`, rate: RATE, seconds: SECONDS }
    await measureLive({ ...load, readers: READERS, seconds: 3 })
    const rounds = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const alone = await measureLive({ ...load, readers: 0 })
      const before = residentBytes(server.pid)
      const watched = await measureLive({ ...load, readers: READERS })
      rounds.push({ alone, watched, growth: residentBytes(server.pid) / before })
    }
    return { rounds }
  } finally {
    await server.stop()
  }
}
