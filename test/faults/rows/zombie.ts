import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { send, Writer, type Reply, type StoredManifest } from '../../support/http/client.js'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { manifestPath } from '../../support/store/files.js'
import type { Service } from '../../support/service/service-process.js'
import { canTrace, strace, tracerOf } from '../../support/tools.js'
import { until } from '../../support/until.js'
import type { Fault, Size } from '../fault.js'
import { onStage, type Findings, type Stage } from '../stage.js'

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

/** Written by the successor; never; only by the owner before it was stopped; there to be deleted; and asked for what changes nothing. */
const SUCCEEDED = 'succeeded'
const UNTOUCHED = 'untouched'
const EARLIER = 'earlier'
const DELETABLE = 'deletable'
const UNCHANGED = 'unchanged'
const CAMPAIGNS = [SUCCEEDED, UNTOUCHED, EARLIER, DELETABLE, UNCHANGED]
/** What everything has in it that is sent to the zombie. */
const MARK = 'from-the-zombie'
/** Longer than any round: the tracer that holds the rename up is ended before. */
const HELD_UP = 300
const SUCCESSOR_WRITES = 20

/** An owner that is stopped until another has taken over, and that goes on then as if nothing had been. */
export const zombie: Fault = {
  name: 'zombie',
  how: 'SIGSTOP past stale, a second service takes over and writes, SIGCONT with writes in flight; also in a rename; or the lock replaced, also in a rename',
  run: (size) => {
    const variants = canTrace() ? VARIANTS : VARIANTS.slice(0, 2)
    return onStage('zombie', (stage) => runRounds(stage, ROUNDS[size], variants))
  },
}

interface Round {
  readonly variant: Variant
  readonly fenced: boolean
  readonly commits: number
  readonly writes: number
  readonly problems: readonly string[]
}

async function runRounds(stage: Stage, count: number, variants: readonly Variant[]): Promise<Findings> {
  const rounds: Round[] = []
  while (rounds.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - rounds.length) }, (_, index) => rounds.length + index)
    const played = batch.map((index) => {
      const variant = variants[index % variants.length] ?? AT_ANY_MOMENT
      if (variant === REPLACED) return playReplaced(stage, String(index), Math.floor(index / variants.length))
      if (variant === INSIDE_REPLACED) return playInsideReplaced(stage, String(index))
      return play(stage, String(index), variant)
    })
    rounds.push(...(await Promise.all(played)))
  }
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
  const first = await startFirst(stage, dataDir, variant)
  const writer = new Writer(EARLIER, '0001')
  const before = variant === AT_ANY_MOMENT ? writer.run(first.url, () => false) : Promise.resolve([])
  const held = variant === INSIDE ? await holdUpRename(first) : null
  await sleep(100)
  process.kill(first.pid, 'SIGSTOP')

  const second = await stage.start({ dataDir })
  const writes = await succeed(second, SUCCESSOR_WRITES)
  const lock = identityOf(dataDir)
  const inFlight = tempt(first.url)
  await sleep(100)
  if (held !== null) await letGo(held.tracer)
  process.kill(first.pid, 'SIGCONT')
  const told = [...(await tempt(first.url)), ...(await inFlight), ...(held === null ? [] : [await held.call])]
  const code = await codeOf(first)
  await before

  const commits = commitsOfZombie(dataDir)
  const more = await succeed(second, SUCCESSOR_WRITES)
  const problems = [
    ...commits,
    ...told.filter(isTrusted).map((reply) => `the zombie answered: ${textOf(reply)}`),
    ...(code === 1 ? [] : [`the zombie ended with ${code}`]),
    ...(identityOf(dataDir) === lock ? [] : ['the lock is not that of the successor any more']),
    ...(ownerOf(dataDir) === second.pid ? [] : [`the owner is ${ownerOf(dataDir)}, not the successor`]),
    ...lossesOf(dataDir, writer),
    ...(await faultsOfSuccessor(second)),
  ]
  return { variant, fenced: code === 1, commits: commits.length, writes: writes + more, problems }
}

/** Where nothing is written, only a look at the lock can tell that what a call was judged on may be old. */
async function playReplaced(stage: Stage, name: string, turn: number): Promise<Round> {
  const dataDir = join(stage.root, name)
  const first = await startFirst(stage, dataDir, REPLACED)
  const ask = UNCHANGING[turn % UNCHANGING.length] ?? UNCHANGING[0]
  const lock = await replaceLock(dataDir)
  const told = await caught(ask(`${first.url}/v1/campaigns`))
  const code = await codeOf(first)
  const problems = [
    ...(isTrusted(told) ? [`the owner answered: ${textOf(told)}`] : []),
    ...(code === 1 ? [] : [`the owner ended with ${code}`]),
    ...(identityOf(dataDir) === lock ? [] : ['the lock is not the one that was put there any more']),
  ]
  return { variant: REPLACED, fenced: code === 1, commits: 0, writes: 0, problems }
}

/** Nobody sweeps, so the rename takes place: what it did to whose file only the look at the lock behind it can tell. */
async function playInsideReplaced(stage: Stage, name: string): Promise<Round> {
  const dataDir = join(stage.root, name)
  const first = await startFirst(stage, dataDir, INSIDE_REPLACED)
  const held = await holdUpRename(first)
  const lock = await replaceLock(dataDir)
  await letGo(held.tracer)
  const told = await held.call
  const code = await codeOf(first)

  const isUnknown = told instanceof Error || (told.status === 503 && told.text.includes('durability-unknown'))
  const isAcknowledged = !(told instanceof Error) && told.status < 300
  const answer = told instanceof Error ? '' : `${told.status} ${told.text.slice(0, 200)}`
  const problems = [
    ...(isAcknowledged ? [`the owner acknowledged: ${answer}`] : []),
    ...(isUnknown || isAcknowledged ? [] : [`the owner answered ${answer}`]),
    ...(commitsOfZombie(dataDir).length === 1 ? [] : ['the rename did not take place']),
    ...(code === 1 ? [] : [`the owner ended with ${code}`]),
    ...(identityOf(dataDir) === lock ? [] : ['the lock is not the one that was put there any more']),
  ]
  return { variant: INSIDE_REPLACED, fenced: code === 1, commits: 0, writes: 0, problems }
}

/**
 * Puts another lock in the place of the owner's, which was refreshed just now: until its next refresh only calls look at it.
 * @returns which lock it is
 */
async function replaceLock(dataDir: string): Promise<string> {
  const modified = () => statSync(join(dataDir, 'lock')).mtimeMs
  const before = modified()
  await until('the lock is refreshed', () => modified() !== before)
  renameSync(join(dataDir, 'lock'), join(dataDir, 'lock-of-the-owner'))
  mkdirSync(join(dataDir, 'lock'))
  return identityOf(dataDir)
}

/** How it ended by itself; none if it goes on. */
async function codeOf(service: Service): Promise<number | null | 'none'> {
  // The timer of what ended in time must not keep the whole run waiting.
  return Promise.race([service.ended, sleep(10_000, 'none' as const, { ref: false })])
}

async function startFirst(stage: Stage, dataDir: string, variant: Variant): Promise<Service> {
  // The record of the owner is the first rename of the main thread; of the thread that commits, the first update.
  const inject = `inject=rename:delay_enter=${HELD_UP * 1_000_000}:when=2`
  const wrapper =
    variant === AT_ANY_MOMENT || variant === REPLACED ? [] : strace('/dev/null', '-e', 'trace=rename', '-e', inject)
  const first = await stage.start({ dataDir, environment: { UV_THREADPOOL_SIZE: '1' }, wrapper })
  for (const campaign_id of CAMPAIGNS) {
    const { status } = await send('POST', `${first.url}/v1/campaigns`, campaignDraft(3, { campaign_id }))
    if (status !== 201) throw new Error(`a campaign could not be created: ${status}`)
  }
  const { status } = await send('PATCH', `${first.url}/v1/campaigns/${UNCHANGED}/experiments/0002`, running('w'))
  if (status !== 200) throw new Error(`the first update was answered ${status}`)
  return first
}

interface HeldUp {
  readonly call: Promise<Reply | Error>
  readonly tracer: number
}

/** A change that has its temp file flushed and its lock looked at, and that only the rename is missing of. */
async function holdUpRename(first: Service): Promise<HeldUp> {
  const call = caught(send('PATCH', `${first.url}/v1/campaigns/${UNTOUCHED}/experiments/0001`, running(MARK)))
  await until('the temp file is there', () => temps(first.dataDir).length > 0)
  await sleep(300)
  const tracer = tracerOf(first.pid)
  if (tracer === null || temps(first.dataDir).length === 0) throw new Error('the rename was not held up')
  return { call, tracer }
}

/** Without its tracer the rename takes place, though the process is stopped: threads stop on the way out of the kernel. */
async function letGo(tracer: number): Promise<void> {
  process.kill(tracer, 'SIGKILL')
  await sleep(300)
}

/** A repetition, a refusal, a deletion that is refused while an experiment runs, and a creation of what is there. */
const UNCHANGING = [
  (campaigns: string) => send('PATCH', `${campaigns}/${UNCHANGED}/experiments/0001`, { status: 'pending' }),
  (campaigns: string) => send('PATCH', `${campaigns}/${UNCHANGED}/experiments/0001`, { attempt: 7 }),
  (campaigns: string) => send('DELETE', `${campaigns}/${UNCHANGED}`),
  (campaigns: string) => send('POST', campaigns, campaignDraft(3, { campaign_id: UNCHANGED })),
] as const

/** Changes of every kind, and what changes nothing or is refused, sent to the zombie all at once: it can answer for none. */
async function tempt(url: string): Promise<(Reply | Error)[]> {
  const campaigns = `${url}/v1/campaigns`
  const calls = [
    send('PATCH', `${campaigns}/${UNTOUCHED}/experiments/0001`, running(MARK)),
    send('PATCH', `${campaigns}/${UNTOUCHED}/experiments/0002`, running(MARK)),
    send('PATCH', `${campaigns}/${SUCCEEDED}/experiments/0002`, running(MARK)),
    send('POST', campaigns, campaignDraft(1, { campaign_id: MARK })),
    send('DELETE', `${campaigns}/${DELETABLE}`),
    ...UNCHANGING.map((ask) => ask(campaigns)),
  ]
  return Promise.all(calls.map(caught))
}

/** Has the successor written; returns how many writes it acknowledged. */
async function succeed(second: Service, count: number): Promise<number> {
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

/** What a store that does not know whether it still owns its files must not tell. */
function isTrusted(told: Reply | Error): boolean {
  return !(told instanceof Error) && told.status !== 503
}

function textOf(told: Reply | Error): string {
  return told instanceof Error ? told.message : `${told.status} ${told.text.slice(0, 200)}`
}

/** What it has in memory must be what is on disk, and each of its campaigns must take a change. */
async function faultsOfSuccessor({ url, dataDir, end }: Service): Promise<string[]> {
  const faults: string[] = []
  for (const campaign of CAMPAIGNS) {
    const reply = await send('GET', `${url}/v1/campaigns/${campaign}`)
    const onDisk = existsSync(manifestPath(dataDir, campaign))
      ? readFileSync(manifestPath(dataDir, campaign), 'utf8')
      : ''
    if (reply.text !== onDisk) faults.push(`${campaign} is not on disk what the successor tells`)
    const { status } = await send('PATCH', `${url}/v1/campaigns/${campaign}/experiments/0003`, running('successor'))
    if (status !== 200) faults.push(`the successor answers ${status} to a change of ${campaign}`)
  }
  const code = await end('SIGTERM')
  return code === 0 ? faults : [...faults, `the successor ended with ${code}`]
}

function running(worker: string): object {
  return { status: 'running', worker }
}

function temps(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'campaigns')).filter((name) => name.endsWith('.tmp'))
}

function readStored(dataDir: string, campaign: string): StoredManifest {
  return JSON.parse(readFileSync(manifestPath(dataDir, campaign), 'utf8')) as StoredManifest
}

/** Tells one lock directory from another, also from one with its inode number. */
function identityOf(dataDir: string): string {
  const stat = statSync(join(dataDir, 'lock'), { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? 'none' : `${stat.ino} ${stat.birthtimeNs}`
}

function ownerOf(dataDir: string): number {
  return (JSON.parse(readFileSync(join(dataDir, 'owner.json'), 'utf8')) as { pid: number }).pid
}

function caught(call: Promise<Reply>): Promise<Reply | Error> {
  return call.catch((error: unknown) => error as Error)
}
