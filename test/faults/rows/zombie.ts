import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Reply, send, Writer } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { findManifest, storedManifest } from '../../support/store/files.js'
import { canTrace } from '../../support/tools.js'
import type { Fault, Findings, Size } from '../fault.js'
import { caught, expectStatus } from '../replies.js'
import { playRounds } from '../rounds.js'
import { endInOrder, type Stage } from '../stage.js'
import {
  CAMPAIGNS,
  DELETABLE,
  EARLIER,
  endTracer,
  holdUpRename,
  identityOf,
  MARK,
  replaceLock,
  running,
  sendEverything,
  startOwner,
  SUCCEEDED,
  UNCHANGING,
} from '../takeover/owner.js'

/** Rounds of all variants together; where nothing can be traced all are of the first two. */
const ROUNDS: Readonly<Record<Size, number>> = { short: 4, middle: 12, full: 100 }
/** Rounds at the same time: each waits for a lock most of its time. */
const BATCH = 6

const VARIANTS = [
  'at any moment',
  'not at all, its lock replaced',
  'inside its rename',
  'inside its rename, its lock replaced',
] as const
const [AT_ANY_MOMENT, REPLACED, INSIDE, INSIDE_REPLACED] = VARIANTS
type Variant = (typeof VARIANTS)[number]

const SUCCESSOR_WRITES = 20

export const zombie: Fault = {
  name: 'zombie',
  how: 'SIGSTOP past stale, a second service takes over and writes, SIGCONT with writes in flight; also in a rename; or the lock replaced, also in a rename',
  run: (stage, size) => {
    const variants = canTrace() ? VARIANTS : VARIANTS.slice(0, 2)
    return playRounds(ROUNDS[size], BATCH, (round) => {
      const variant = variants[round % variants.length] ?? AT_ANY_MOMENT
      const dataDir = join(stage.root, String(round))
      if (variant === REPLACED) return playReplaced(stage, dataDir, Math.floor(round / variants.length))
      return variant === INSIDE_REPLACED ? playInsideReplaced(stage, dataDir) : play(stage, dataDir, variant)
    })
  },
}

async function play(stage: Stage, dataDir: string, variant: Variant): Promise<Findings> {
  const first = await startOwner(stage, dataDir, variant === INSIDE)
  const writer = new Writer(EARLIER, '0001')
  const before = variant === AT_ANY_MOMENT ? writer.run(first.url, () => false) : Promise.resolve([])
  const held = variant === INSIDE ? await holdUpRename(first) : null
  await sleep(100)
  process.kill(first.pid, 'SIGSTOP')

  const second = await stage.start({ dataDir })
  await writeAsSuccessor(second)
  const lock = identityOf(dataDir)
  const inFlight = sendEverything(first.url)
  await sleep(100)
  if (held !== null) await endTracer(held.tracer)
  process.kill(first.pid, 'SIGCONT')
  const replies = [
    ...(await sendEverything(first.url)),
    ...(await inFlight),
    ...(held === null ? [] : [await held.call]),
  ]
  await codeOf(first)
  await before

  const commits = commitsOfZombie(dataDir)
  await writeAsSuccessor(second)
  const answered = replies.filter(isTrusted).map((reply) => `the zombie answered: ${textOf(reply)}`)
  const { counts, problems } = await findingsOf(variant, first, lock, [...commits, ...answered])
  return {
    counts: { ...counts, 'commits by the zombie': commits.length, 'writes of the successor': 2 * SUCCESSOR_WRITES },
    problems: [
      ...problems,
      ...(ownerOf(dataDir) === second.pid ? [] : [`the owner is ${ownerOf(dataDir)}, not the successor`]),
      ...lossesOf(dataDir, writer),
      ...(await faultsOfSuccessor(second)),
    ],
  }
}

/** Where nothing is written, only a check of the lock shows that what a call was decided on may be old. */
async function playReplaced(stage: Stage, dataDir: string, round: number): Promise<Findings> {
  const first = await startOwner(stage, dataDir, false)
  const ask = UNCHANGING[round % UNCHANGING.length] ?? UNCHANGING[0]
  const lock = await replaceLock(dataDir)
  const reply = await caught(ask(`${first.url}/v1/campaigns`))
  return findingsOf(REPLACED, first, lock, isTrusted(reply) ? [`the owner answered: ${textOf(reply)}`] : [])
}

/** No other service sweeps, so the rename takes place: only the check of the lock after it shows that the file may be another's. */
async function playInsideReplaced(stage: Stage, dataDir: string): Promise<Findings> {
  const first = await startOwner(stage, dataDir, true)
  const held = await holdUpRename(first)
  const lock = await replaceLock(dataDir)
  await endTracer(held.tracer)
  const reply = await held.call
  await codeOf(first)
  const isUnknown = reply instanceof Error || (reply.status === 503 && reply.text.includes('durability-unknown'))
  const isAcknowledged = !(reply instanceof Error) && reply.status < 300
  return findingsOf(INSIDE_REPLACED, first, lock, [
    ...(isAcknowledged ? [`the owner acknowledged: ${textOf(reply)}`] : []),
    ...(isUnknown || isAcknowledged ? [] : [`the owner answered ${textOf(reply)}`]),
    ...(commitsOfZombie(dataDir).length === 1 ? [] : ['the rename did not take place']),
  ])
}

/** What is wrong with an owner that lost its lock: it must end with 1, and leave alone the lock that is there now. */
async function findingsOf(variant: Variant, owner: Service, lock: string, wrong: readonly string[]): Promise<Findings> {
  const code = await codeOf(owner)
  const problems = [
    ...wrong,
    ...(code === 1 ? [] : [`it ended with ${code}`]),
    ...(identityOf(owner.dataDir) === lock ? [] : ['the lock is not the one that was there any more']),
  ]
  const counts = {
    'inside a rename': Number(variant === INSIDE),
    'with the lock replaced': Number(variant === REPLACED || variant === INSIDE_REPLACED),
    fenced: Number(code === 1),
  }
  return { counts, problems: problems.map((problem) => `stopped ${variant}: ${problem}`) }
}

async function codeOf(service: Service): Promise<number | null | 'none'> {
  // The timer of what ended in time must not keep the whole run waiting.
  return Promise.race([service.ended, sleep(10_000, 'none' as const, { ref: false })])
}

/** What a store that does not know whether it still owns its files must not answer. */
function isTrusted(reply: Reply | Error): boolean {
  return !(reply instanceof Error) && reply.status !== 503
}

function textOf(reply: Reply | Error): string {
  return reply instanceof Error ? reply.message : `${reply.status} ${reply.text.slice(0, 200)}`
}

/** @throws Error when the successor does not acknowledge it */
async function writeAsSuccessor(second: Service): Promise<void> {
  for (let done = 0; done < SUCCESSOR_WRITES; done += 1) {
    const body = { ...running('0001'), result_path: String(Math.random()) }
    await expectStatus(200, send('PATCH', `${second.url}/v1/campaigns/${SUCCEEDED}/experiments/0001`, body))
  }
}

/** What the zombie changed on disk. */
function commitsOfZombie(dataDir: string): string[] {
  const marked = readdirSync(join(dataDir, 'campaigns')).filter((name) =>
    readFileSync(join(dataDir, 'campaigns', name), 'utf8').includes(MARK),
  )
  return [
    ...marked.map((name) => `the zombie wrote ${name}`),
    ...(findManifest(dataDir, DELETABLE) === null ? ['the zombie deleted a campaign'] : []),
  ]
}

/** What the owner had acknowledged in time. */
function lossesOf(dataDir: string, { acknowledged }: Writer): string[] {
  const found = Number(storedManifest(dataDir, EARLIER).experiments[0]?.result_path ?? 0)
  return found >= acknowledged ? [] : [`report ${acknowledged} of the first owner is lost: there is ${found}`]
}

/** What it has in memory must be what is on disk, and each of its campaigns must take a change. */
async function faultsOfSuccessor(successor: Service): Promise<string[]> {
  const { url, dataDir } = successor
  const faults: string[] = []
  for (const campaign of CAMPAIGNS) {
    const { text } = await send('GET', `${url}/v1/campaigns/${campaign}`)
    if (text !== findManifest(dataDir, campaign)) faults.push(`${campaign} is not on disk what the successor serves`)
    const { status } = await send('PATCH', `${url}/v1/campaigns/${campaign}/experiments/0003`, running('successor'))
    if (status !== 200) faults.push(`the successor answers ${status} to a change of ${campaign}`)
  }
  return [...faults, ...(await endInOrder(successor))]
}

function ownerOf(dataDir: string): number {
  return (JSON.parse(readFileSync(join(dataDir, 'owner.json'), 'utf8')) as { pid: number }).pid
}
