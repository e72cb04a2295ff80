import { mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { type Reply, send } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { leftovers } from '../../support/store/files.js'
import { strace, tracerOf } from '../../support/tools.js'
import { until } from '../../support/until.js'
import { caught, createCampaign, expectStatus } from '../replies.js'
import type { Stage } from '../stage.js'

/** Written by the successor; never; only by the owner before it was stopped; there to be deleted; and asked for what changes nothing. */
export const SUCCEEDED = 'succeeded'
const UNTOUCHED = 'untouched'
export const EARLIER = 'earlier'
export const DELETABLE = 'deletable'
const UNCHANGED = 'unchanged'
export const CAMPAIGNS = [SUCCEEDED, UNTOUCHED, EARLIER, DELETABLE, UNCHANGED]
/** What everything has in it that is sent to the zombie. */
export const MARK = 'from-the-zombie'

/** A repetition, a refusal, a deletion that is refused while an experiment runs, and a creation of what is there. */
export const UNCHANGING = [
  (campaigns: string) => send('PATCH', `${campaigns}/${UNCHANGED}/experiments/0001`, { status: 'pending' }),
  (campaigns: string) => send('PATCH', `${campaigns}/${UNCHANGED}/experiments/0001`, { attempt: 7 }),
  (campaigns: string) => send('DELETE', `${campaigns}/${UNCHANGED}`),
  (campaigns: string) => send('POST', campaigns, campaignDraft(3, { campaign_id: UNCHANGED })),
] as const

/** Changes of every kind, and what changes nothing or is refused, sent to the zombie all at once: it can answer for none. */
export async function sendEverything(url: string): Promise<(Reply | Error)[]> {
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

export function running(worker: string): object {
  return { status: 'running', worker }
}

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

/** A change whose temp file is flushed and whose lock is checked, and that only lacks the rename. */
export async function holdUpRename(first: Service) {
  const call = caught(send('PATCH', `${first.url}/v1/campaigns/${UNTOUCHED}/experiments/0001`, running(MARK)))
  await until('the temp file is there', () => leftovers(first.dataDir).length > 0)
  await sleep(300)
  const tracer = tracerOf(first.pid)
  if (tracer === null || leftovers(first.dataDir).length === 0) throw new Error('the rename was not held up')
  return { call, tracer }
}

/** Without its tracer the rename takes place, though the process is stopped: a thread stops only when it leaves the kernel. */
export async function endTracer(tracer: number): Promise<void> {
  process.kill(tracer, 'SIGKILL')
  await sleep(300)
}

/** Replaces the lock just after a refresh: until the next one only calls check it. @returns the identity of the new lock */
export async function replaceLock(dataDir: string): Promise<string> {
  const modified = () => statSync(join(dataDir, 'lock')).mtimeMs
  const before = modified()
  await until('the lock is refreshed', () => modified() !== before)
  renameSync(join(dataDir, 'lock'), join(dataDir, 'lock-of-the-owner'))
  mkdirSync(join(dataDir, 'lock'))
  return identityOf(dataDir)
}

/** Tells one lock directory from another, also from one with its inode number. */
export function identityOf(dataDir: string): string {
  const stat = statSync(join(dataDir, 'lock'), { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? 'none' : `${stat.ino} ${stat.birthtimeNs}`
}
