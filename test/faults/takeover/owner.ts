import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { send, type Reply } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { strace, tracerOf } from '../../support/tools.js'
import { until } from '../../support/until.js'
import { caught, createCampaign, expectStatus } from '../replies.js'
import type { Stage } from '../stage.js'
import { CAMPAIGNS, MARK, running, UNCHANGED, UNTOUCHED } from './owner-calls.js'

/** Longer than any round: the tracer that holds the rename up is ended before. */
const HELD_UP = 300

/** The service that owns the data directory, until another one takes over or its lock is replaced. */
export async function startOwner(stage: Stage, dataDir: string, withTracer: boolean): Promise<Service> {
  // The record of the owner is the first rename of the main thread; of the thread that commits, the first update.
  const inject = `inject=rename:delay_enter=${HELD_UP * 1_000_000}:when=2`
  const wrapper = withTracer ? strace('/dev/null', '-e', 'trace=rename', '-e', inject) : []
  const first = await stage.start({ dataDir, environment: { UV_THREADPOOL_SIZE: '1' }, wrapper })
  for (const campaign_id of CAMPAIGNS) {
    await createCampaign(first.url, campaign_id, 3)
  }
  const experiment = `${first.url}/v1/campaigns/${UNCHANGED}/experiments/0002`
  await expectStatus(200, send('PATCH', experiment, running('w')))
  return first
}

export interface HeldUp {
  readonly call: Promise<Reply | Error>
  readonly tracer: number
}

/** A change whose temp file is flushed and whose lock is checked, and that only lacks the rename. */
export async function holdUpRename(first: Service): Promise<HeldUp> {
  const call = caught(send('PATCH', `${first.url}/v1/campaigns/${UNTOUCHED}/experiments/0001`, running(MARK)))
  await until('the temp file is there', () => temps(first.dataDir).length > 0)
  await sleep(300)
  const tracer = tracerOf(first.pid)
  if (tracer === null || temps(first.dataDir).length === 0) throw new Error('the rename was not held up')
  return { call, tracer }
}

/** Without its tracer the rename takes place, though the process is stopped: a thread stops only when it leaves the kernel. */
export async function endTracer(tracer: number): Promise<void> {
  process.kill(tracer, 'SIGKILL')
  await sleep(300)
}

/**
 * Puts another lock in the place of the owner's, which was refreshed just now: until its next refresh only calls check it.
 * @returns which lock it is
 */
export async function replaceLock(dataDir: string): Promise<string> {
  const modified = () => statSync(join(dataDir, 'lock')).mtimeMs
  const before = modified()
  await until('the lock is refreshed', () => modified() !== before)
  renameSync(join(dataDir, 'lock'), join(dataDir, 'lock-of-the-owner'))
  mkdirSync(join(dataDir, 'lock'))
  return identityOf(dataDir)
}

/** How it ended by itself; none if it goes on. */
export async function codeOf(service: Service): Promise<number | null | 'none'> {
  // The timer of what ended in time must not keep the whole run waiting.
  return Promise.race([service.ended, sleep(10_000, 'none' as const, { ref: false })])
}

/** Tells one lock directory from another, also from one with its inode number. */
export function identityOf(dataDir: string): string {
  const stat = statSync(join(dataDir, 'lock'), { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? 'none' : `${stat.ino} ${stat.birthtimeNs}`
}

function temps(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'campaigns')).filter((name) => name.endsWith('.tmp'))
}
