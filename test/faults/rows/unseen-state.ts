import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { type Reply, send } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { leftovers, storedManifest } from '../../support/store/files.js'
import { strace, tracerOf, whyNotTrace } from '../../support/tools.js'
import { until } from '../../support/until.js'
import type { Fault, Findings, Size } from '../fault.js'
import { caught, createCampaign, expectStatus } from '../replies.js'
import { playRounds } from '../rounds.js'
import type { Stage } from '../stage.js'

const ROUNDS: Readonly<Record<Size, number>> = { short: 3, middle: 12, full: 60 }
const BATCH = 3

const CAMPAIGN = '/v1/campaigns/sweep'
const REPORTED = { status: 'running', worker: 'a' }
const OTHER = { status: 'running', worker: 'b' }

/** Milliseconds in which a service that answers too early does so; the commit hangs far longer, until the kill. */
const EARLY = 400
const HANG = 10_000
/** Milliseconds that a commit hangs which comes about in the end. */
const SHORT_HANG = 1_500

interface Place {
  readonly name: string
  /** How strace holds the thread that commits up there. */
  readonly holds: (milliseconds: number) => readonly string[]
  /** Whether the manifest is in place by then; if not, its temp file shows that the commit came so far. */
  readonly renamed: boolean
  /** Another commit goes before, slowly: what is decided meanwhile waits in the next batch. */
  readonly behind: boolean
}

/** By the number of a call in the committing thread: creation and first report make two flushes each, the latter a rename. */
const PLACES = [
  { name: 'the flush of the temp file', holds: (time) => [hold('fsync', time, 5)], renamed: false, behind: false },
  { name: 'the flush of the directory', holds: (time) => [hold('fsync', time, 6)], renamed: true, behind: false },
  {
    name: 'the rename behind another commit',
    holds: (time) => [hold('fsync', SHORT_HANG, 5), hold('rename', time, 3)],
    renamed: false,
    behind: true,
  },
] as const satisfies readonly Place[]

/** Repetitions and refusals that can only be decided on a commit that never comes about. */
export const unseenState: Fault = {
  name: 'unseen-state',
  how: 'a repeated report and a refusal while their commit hangs, also behind another, then SIGKILL',
  whyNot: whyNotTrace,
  run: (stage, size) => runRounds(stage, ROUNDS[size]),
}

async function runRounds(stage: Stage, count: number): Promise<Findings> {
  const [control, { counts, problems }] = await Promise.all([
    released(stage),
    playRounds(count, BATCH, (index) => killed(stage, index)),
  ])
  return { counts, problems: [...control, ...problems] }
}

async function released(stage: Stage): Promise<string[]> {
  const began = performance.now()
  const hanging = await hang(stage, 'released', PLACES[0], SHORT_HANG)
  const replies = await Promise.all(hanging.calls)
  const took = performance.now() - began
  const statuses = replies.map((reply) => (reply instanceof Error ? reply.message : reply.status)).join()
  await hanging.service.end('SIGKILL')
  if (statuses !== '200,200,409,200') return [`after a commit that hung the answers were ${statuses}`]
  return took < SHORT_HANG ? [`nothing hung: all was answered after ${took} ms`] : []
}

async function killed(stage: Stage, index: number): Promise<Findings> {
  const place: Place = PLACES[index % PLACES.length] ?? PLACES[0]
  const { service, calls } = await hang(stage, String(index), place, HANG)
  const answers: Reply[] = []
  for (const call of calls) void call.then((reply) => (reply instanceof Error ? 0 : answers.push(reply)))
  await sleep(EARLY)
  const early = [...answers]
  await killTraced(service)
  const unanswered = (await Promise.all(calls)).filter((reply) => reply instanceof Error).length
  const lost = await lossesAfter(stage, service.dataDir, place, answers)
  const tooEarly = early.map(({ status, text }) => `answered ${status} during ${place.name}: ${text.slice(0, 200)}`)
  const counts = { unanswered, 'answered early': early.length, lost: lost.length }
  return { counts, problems: [...tooEarly, ...lost] }
}

/** @returns the report whose commit hangs, and those that can only be decided on it; an error where the connection broke */
async function hang(stage: Stage, name: string, place: Place, milliseconds: number) {
  const dataDir = join(stage.root, name)
  const holds = place.holds(milliseconds).flatMap((how) => ['-e', how])
  const wrapper = strace(`${dataDir}.trace`, '-e', 'trace=fsync,rename', ...holds)
  const service = await stage.start({ dataDir, environment: { UV_THREADPOOL_SIZE: '1' }, wrapper })
  await createCampaign(service.url, 'sweep', 2)
  await expectStatus(200, report(service, '0002', REPORTED))
  const slow = place.behind ? report(service, '0002', { ...REPORTED, result_path: 'slow' }) : null
  if (slow !== null) await until('the commit before hangs', () => leftovers(dataDir).length > 0)
  const calls = [caught(report(service, '0001', REPORTED))]
  if (slow === null) await until('the commit hangs', () => hangs(dataDir, place))
  const batch = { updates: [{ exp_id: '0001', ...REPORTED }] }
  calls.push(
    caught(report(service, '0001', REPORTED)),
    caught(report(service, '0001', OTHER)),
    caught(send('PATCH', `${service.url}${CAMPAIGN}/experiments`, batch)),
  )
  if (slow !== null) {
    await expectStatus(200, slow)
    await until('the commit behind it hangs', () => hangs(dataDir, place))
  }
  return { service, calls }
}

function hold(call: string, milliseconds: number, nth: number): string {
  return `inject=${call}:delay_enter=${milliseconds * 1000}:when=${nth}`
}

/** The revision of the commit that hangs; the one before it is acknowledged. */
function hangingRevision({ behind }: Place): number {
  return behind ? 4 : 3
}

/** True once the disk shows how far the commit came. */
function hangs(dataDir: string, place: Place): boolean {
  if (!place.renamed) return leftovers(dataDir).length > 0
  return storedManifest(dataDir, 'sweep').revision === hangingRevision(place)
}

/** Starts it again: what was acknowledged, or answered in a refusal, and is not there any more. */
async function lossesAfter(stage: Stage, dataDir: string, place: Place, answered: readonly Reply[]): Promise<string[]> {
  const service = await stage.start({ dataDir })
  const reply = await send('GET', service.url + CAMPAIGN)
  const { revision, experiments } = reply.json<CampaignManifest>()
  await service.end('SIGKILL')
  const [first, second] = experiments
  const hanging = hangingRevision(place)
  const needed = answered.length > 0 ? hanging : hanging - 1
  return [
    ...(second?.status === 'running' && second.worker === 'a' ? [] : ['the report that was acknowledged is lost']),
    ...(revision < needed ? [`revision ${needed} was answered and is lost: it is ${revision} again`] : []),
    ...(revision === hanging && first?.worker !== 'a'
      ? [`revision ${hanging} has not the change that it was made for`]
      : []),
  ]
}

/** The tracer goes too: it would keep the dead until the time is over for which it holds the call up. */
async function killTraced(service: Service): Promise<void> {
  const tracer = tracerOf(service.pid)
  const ended = service.end('SIGKILL')
  if (tracer !== null) process.kill(tracer, 'SIGKILL')
  await ended
}

function report({ url }: Service, expId: string, body: object): Promise<Reply> {
  return send('PATCH', `${url}${CAMPAIGN}/experiments/${expId}`, body)
}
