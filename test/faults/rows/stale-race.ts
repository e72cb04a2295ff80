import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isBad, type LockProcess, spawnLockProcess } from '../../support/service/lock-process.js'
import type { Fault, Findings, Size } from '../fault.js'
import { playRounds } from '../rounds.js'
import type { Stage } from '../stage.js'

const ROUNDS: Readonly<Record<Size, number>> = { short: 2, middle: 15, full: 100 }
const CONTENDERS = 8
/** Milliseconds after which there must still be one: longer than a refresh, by which an owner learns that it lost. */
const STAYS = 3_000
/** Rounds at the same time: contenders that cannot know that the owner is dead wait most of theirs. */
const AT_ONCE = 3

/** What the contenders find: each is a lock whose owner is no more. */
const LEFTOVERS: readonly ((stage: Stage, directory: string) => Promise<void>)[] = [
  async (_stage, directory) => {
    mkdirSync(join(directory, 'lock'))
  },
  killHolder,
  async (stage, directory) => {
    await killHolder(stage, directory)
    rmSync(join(directory, 'owner.json'))
  },
]

export const staleRace: Fault = {
  name: 'stale-race',
  how: `${CONTENDERS} processes at once on the lock of a dead owner: one that nobody knows, killed just now, its record gone`,
  run: (stage, size) => playRounds(ROUNDS[size], AT_ONCE, (round) => play(stage, round)),
}

async function play(stage: Stage, round: number): Promise<Findings> {
  const directory = join(stage.root, String(round))
  mkdirSync(directory)
  await LEFTOVERS[round % LEFTOVERS.length]?.(stage, directory)
  const processes = Array.from({ length: CONTENDERS }, () => start(stage, directory))
  await Promise.all(processes.map((one) => one.receive('starts')))
  for (const one of processes) one.send('go')
  await Promise.any(processes.map((one) => one.receive('owns')))
  const atFirst = owners(processes)
  await sleep(STAYS)
  const afterwards = owners(processes)
  const bad = processes.flatMap(({ messages }) => messages.filter(isBad))
  await Promise.all(processes.map((one) => one.kill('SIGKILL')))
  const problems = [
    ...(atFirst === 1 && afterwards === 1 ? [] : [`${atFirst} owners, ${afterwards} after ${STAYS} ms`]),
    ...bad.map((message) => JSON.stringify(message)),
  ]
  return {
    counts: { processes: CONTENDERS, owners: afterwards },
    problems: problems.map((problem) => `round ${round + 1}: ${problem}`),
  }
}

function owners(processes: readonly LockProcess[]): number {
  return processes.filter(({ messages }) => messages.some(({ event }) => event === 'owns')).length
}

async function killHolder(stage: Stage, directory: string): Promise<void> {
  const holder = start(stage, directory)
  await holder.receive('starts')
  holder.send('go')
  await holder.receive('owns')
  await holder.kill('SIGKILL')
}

/** A process that waits for a line on its stdin. */
function start(stage: Stage, directory: string): LockProcess {
  const one = spawnLockProcess(directory, 'lock', 'gated')
  stage.keep(one.child)
  return one
}
