import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { send, Writer } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { manifestPath } from '../../support/store/files.js'
import { canTrace } from '../../support/tools.js'
import type { Fault, Findings, Size } from '../fault.js'
import { caught, inBatches } from '../replies.js'
import { endInOrder, type Stage } from '../stage.js'
import {
  CAMPAIGNS,
  codeOf,
  DELETABLE,
  EARLIER,
  endTracer,
  holdUpRename,
  identityOf,
  isTrusted,
  MARK,
  replaceLock,
  running,
  sendEverything,
  startOwner,
  SUCCEEDED,
  textOf,
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
  run: (stage, size) => runRounds(stage, ROUNDS[size], canTrace() ? VARIANTS : VARIANTS.slice(0, 2)),
}

interface Round {
  readonly variant: Variant
  readonly fenced: boolean
  readonly commits: number
  readonly writes: number
  readonly problems: readonly string[]
}

async function runRounds(stage: Stage, count: number, variants: readonly Variant[]): Promise<Findings> {
  const rounds = await inBatches(count, BATCH, (index) => {
    const variant = variants[index % variants.length] ?? AT_ANY_MOMENT
    if (variant === REPLACED) return playReplaced(stage, String(index), Math.floor(index / variants.length))
    if (variant === INSIDE_REPLACED) return playInsideReplaced(stage, String(index))
    return play(stage, String(index), variant)
  })
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0)
  return {
    counts: {
      rounds: rounds.length,
      'inside a rename': rounds.filter(({ variant }) => variant === INSIDE).length,
      'with the lock replaced': rounds.filter(({ variant }) => variant === REPLACED || variant === INSIDE_REPLACED)
        .length,
      fenced: rounds.filter(({ fenced }) => fenced).length,
      'commits by the zombie': sum(({ commits }) => commits),
      'writes of the successor': sum(({ writes }) => writes),
    },
    problems: rounds.flatMap(({ problems, variant }) => problems.map((problem) => `stopped ${variant}: ${problem}`)),
  }
}

async function play(stage: Stage, name: string, variant: Variant): Promise<Round> {
  const dataDir = join(stage.root, name)
  const first = await startOwner(stage, dataDir, variant === INSIDE)
  const writer = new Writer(EARLIER, '0001')
  const before = variant === AT_ANY_MOMENT ? writer.run(first.url, () => false) : Promise.resolve([])
  const held = variant === INSIDE ? await holdUpRename(first) : null
  await sleep(100)
  process.kill(first.pid, 'SIGSTOP')

  const second = await stage.start({ dataDir })
  const writes = await writeAsSuccessor(second, SUCCESSOR_WRITES)
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
  const code = await codeOf(first)
  await before

  const commits = commitsOfZombie(dataDir)
  const more = await writeAsSuccessor(second, SUCCESSOR_WRITES)
  const problems = [
    ...commits,
    ...replies.filter(isTrusted).map((reply) => `the zombie answered: ${textOf(reply)}`),
    ...(code === 1 ? [] : [`the zombie ended with ${code}`]),
    ...(identityOf(dataDir) === lock ? [] : ['the lock is not that of the successor any more']),
    ...(ownerOf(dataDir) === second.pid ? [] : [`the owner is ${ownerOf(dataDir)}, not the successor`]),
    ...lossesOf(dataDir, writer),
    ...(await faultsOfSuccessor(second)),
  ]
  return { variant, fenced: code === 1, commits: commits.length, writes: writes + more, problems }
}

/** Where nothing is written, only a check of the lock shows that what a call was decided on may be old. */
async function playReplaced(stage: Stage, name: string, round: number): Promise<Round> {
  const dataDir = join(stage.root, name)
  const first = await startOwner(stage, dataDir, false)
  const ask = UNCHANGING[round % UNCHANGING.length] ?? UNCHANGING[0]
  const lock = await replaceLock(dataDir)
  const reply = await caught(ask(`${first.url}/v1/campaigns`))
  return endOfReplaced(REPLACED, first, lock, isTrusted(reply) ? [`the owner answered: ${textOf(reply)}`] : [])
}

async function endOfReplaced(variant: Variant, owner: Service, lock: string, wrong: readonly string[]): Promise<Round> {
  const code = await codeOf(owner)
  const problems = [
    ...wrong,
    ...(code === 1 ? [] : [`the owner ended with ${code}`]),
    ...(identityOf(owner.dataDir) === lock ? [] : ['the lock is not the one that was put there any more']),
  ]
  return { variant, fenced: code === 1, commits: 0, writes: 0, problems }
}

/** No other service sweeps, so the rename takes place: only the check of the lock after it shows that the file may be another's. */
async function playInsideReplaced(stage: Stage, name: string): Promise<Round> {
  const dataDir = join(stage.root, name)
  const first = await startOwner(stage, dataDir, true)
  const held = await holdUpRename(first)
  const lock = await replaceLock(dataDir)
  await endTracer(held.tracer)
  const reply = await held.call
  await codeOf(first)
  const isUnknown = reply instanceof Error || (reply.status === 503 && reply.text.includes('durability-unknown'))
  const isAcknowledged = !(reply instanceof Error) && reply.status < 300
  return endOfReplaced(INSIDE_REPLACED, first, lock, [
    ...(isAcknowledged ? [`the owner acknowledged: ${textOf(reply)}`] : []),
    ...(isUnknown || isAcknowledged ? [] : [`the owner answered ${textOf(reply)}`]),
    ...(commitsOfZombie(dataDir).length === 1 ? [] : ['the rename did not take place']),
  ])
}

/** Has the successor written; returns how many writes it acknowledged. */
async function writeAsSuccessor(second: Service, count: number): Promise<number> {
  for (let done = 0; done < count; done += 1) {
    const body = { ...running('0001'), result_path: String(Math.random()) }
    const reply = await send('PATCH', `${second.url}/v1/campaigns/${SUCCEEDED}/experiments/0001`, body)
    if (reply.status !== 200) throw new Error(`the successor answered ${reply.status}: ${reply.text}`)
  }
  return count
}

/** What the zombie changed on disk. */
function commitsOfZombie(dataDir: string): string[] {
  const marked = readdirSync(join(dataDir, 'campaigns')).filter((name) =>
    readFileSync(join(dataDir, 'campaigns', name), 'utf8').includes(MARK),
  )
  return [
    ...marked.map((name) => `the zombie wrote ${name}`),
    ...(existsSync(manifestPath(dataDir, DELETABLE)) ? [] : ['the zombie deleted a campaign']),
  ]
}

/** What the owner had acknowledged in time. */
function lossesOf(dataDir: string, { acknowledged }: Writer): string[] {
  const found = Number(readStored(dataDir, EARLIER).experiments[0]?.result_path ?? 0)
  return found >= acknowledged ? [] : [`report ${acknowledged} of the first owner is lost: there is ${found}`]
}

/** What it has in memory must be what is on disk, and each of its campaigns must take a change. */
async function faultsOfSuccessor(successor: Service): Promise<string[]> {
  const { url, dataDir } = successor
  const faults: string[] = []
  for (const campaign of CAMPAIGNS) {
    const reply = await send('GET', `${url}/v1/campaigns/${campaign}`)
    const onDisk = existsSync(manifestPath(dataDir, campaign))
      ? readFileSync(manifestPath(dataDir, campaign), 'utf8')
      : ''
    if (reply.text !== onDisk) faults.push(`${campaign} is not on disk what the successor serves`)
    const { status } = await send('PATCH', `${url}/v1/campaigns/${campaign}/experiments/0003`, running('successor'))
    if (status !== 200) faults.push(`the successor answers ${status} to a change of ${campaign}`)
  }
  return [...faults, ...(await endInOrder(successor))]
}

function readStored(dataDir: string, campaign: string): CampaignManifest {
  return JSON.parse(readFileSync(manifestPath(dataDir, campaign), 'utf8')) as CampaignManifest
}

function ownerOf(dataDir: string): number {
  return (JSON.parse(readFileSync(join(dataDir, 'owner.json'), 'utf8')) as { pid: number }).pid
}
