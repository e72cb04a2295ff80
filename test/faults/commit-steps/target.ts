import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../../support/http/client.js'
import type { Service } from '../../support/service/service-process.js'
import { findManifest, leftovers } from '../../support/store/files.js'
import { attach, readTrace, type SystemCall, type Tracer } from '../../support/tools.js'
import { createCampaign, expectStatus } from '../replies.js'
import type { Stage } from '../stage.js'
import { Change, type CommitKind, EXPERIMENTS } from './change.js'

const KINDS: readonly CommitKind[] = ['report', 'creation', 'deletion']
const CALLS = [
  ...['openat', 'write', 'writev', 'pwrite64', 'pwritev', 'fsync', 'fdatasync', 'close'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat'],
]
const TRACED = `trace=${CALLS.map((name) => `?${name}`).join(',')}`
/** What no report may do without, in this order. */
const NEEDED = /openat .*write.*fsync .*rename.*fsync /
/** Milliseconds without a call after which a service is idle again. */
const REST = 100

const CAMPAIGN = 'sweep'
/** Its first commit shows which thread commits. */
const PROBED = 'probed'

/** A system call that a commit makes, as strace counts them from when it is attached. */
export interface Step {
  readonly commit: CommitKind
  readonly thread: 'commit' | 'main'
  readonly call: string
  /** Its place among the calls of this name that the thread makes in one commit, from 1, and how many these are. */
  readonly nth: number
  readonly of: number
  /** True for what concerns files of the store, and not the network or the waking of another thread. */
  readonly onFile: boolean
}

/** What strace does to one call. */
export interface Injection {
  readonly step: Step
  /** In which commit after the attaching, from 1. */
  readonly commit: number
  /** Such as `error=EIO`. */
  readonly what: string
  /** Whether it does so from then on. */
  readonly lasts: boolean
}

/** A call of the service, and which thread made it; null for one that has no part in commits. */
type Call = SystemCall & { readonly thread: Step['thread'] | null }

interface Running {
  readonly service: Service
  readonly threads: Readonly<Record<Step['thread'], number>>
}

/** A service on a directory of its own, into which faults are injected one after the other. */
export class Target {
  readonly dataDir: string
  private running: Running | null = null
  private traces = 0
  private changes = 0

  constructor(
    private readonly stage: Stage,
    name: string,
  ) {
    this.dataDir = join(stage.root, name, 'data')
    mkdirSync(join(stage.root, name))
  }

  async service(): Promise<Service> {
    return (this.running ?? (await this.start())).service
  }

  async restart(): Promise<Service> {
    const { running } = this
    this.running = null
    await running?.service.end('SIGKILL')
    return this.service()
  }

  /** Changes, each made only when it is asked for, since it is compared with what is on disk then. */
  async prepare(kind: CommitKind, count: number): Promise<(() => Change)[]> {
    const service = await this.service()
    const makers: (() => Change)[] = []
    for (let index = 0; index < count; index += 1) {
      this.changes += 1
      const value = String(this.changes)
      const id = kind === 'report' ? CAMPAIGN : `${kind}-${value}`
      if (kind === 'deletion') await createCampaign(service.url, id, EXPERIMENTS)
      makers.push(() => new Change(kind, id, this.onDisk(id), value))
    }
    return makers
  }

  async inject({ step, commit, what, lasts }: Injection): Promise<Tracer> {
    const { thread, call, nth, of } = step
    await this.service()
    const id = this.running?.threads[thread] ?? 0
    const when = `when=${nth + (commit - 1) * of}${lasts ? '+' : ''}`
    return this.attach(id, '-e', `trace=${call}`, '-e', `inject=${call}:${what}:${when}`)
  }

  onDisk(id: string): string | null {
    return findManifest(this.dataDir, id)
  }

  /** @returns what is wrong with a change: neither old nor new, or served other than it is on disk */
  async problemsOf(change: Change): Promise<string[]> {
    const { url } = await this.service()
    const now = this.onDisk(change.campaign)
    const read = await send('GET', `${url}/v1/campaigns/${change.campaign}`)
    const isServed = now === null ? read.status === 404 : read.status === 200 && read.text === now
    return [
      ...(change.stateOf(now) === null ? [`neither old nor new: ${now?.slice(0, 300)}`] : []),
      ...(isServed ? [] : [`served as ${read.status} ${read.text.slice(0, 300)}`]),
    ]
  }

  /** @returns what a start should have removed */
  leftovers(): string[] {
    const trash = readdirSync(this.dataDir).filter((name) => name.startsWith('trash-'))
    return [...leftovers(this.dataDir), ...trash.slice(1)]
  }

  /** The calls of one commit of each kind, found by watching it. */
  async steps(): Promise<Step[]> {
    const steps: Step[] = []
    for (const kind of KINDS) {
      const [make] = await this.prepare(kind, 1)
      const calls = await this.watch(async (service) => make?.().send(service))
      const named = calls.filter(({ thread }) => thread !== null)
      const sequence = named.flatMap(({ thread, name }) => (thread === 'commit' ? [`${name} `] : [])).join('')
      if (kind === 'report' && !NEEDED.test(sequence)) throw new UnsafeCommit(sequence)
      steps.push(...numbered(kind, named, this.dataDir))
    }
    return steps
  }

  private async start(): Promise<Running> {
    const service = await this.stage.start({ dataDir: this.dataDir, environment: { UV_THREADPOOL_SIZE: '1' } })
    this.running = { service, threads: { main: service.pid, commit: 0 } }
    const calls = await this.watch(async ({ url }) => {
      const change = { status: 'running', result_path: `start ${(this.changes += 1)}` }
      if (this.onDisk(PROBED) === null) {
        for (const id of [CAMPAIGN, PROBED]) await createCampaign(url, id, EXPERIMENTS)
      } else {
        await expectStatus(200, send('PATCH', `${url}/v1/campaigns/${PROBED}/experiments/0001`, change))
      }
    })
    const commit = calls.find(({ name, text }) => name === 'openat' && text.includes('.tmp"'))?.id
    if (commit === undefined) throw new UnsafeCommit('no temp file was opened')
    this.running = { service, threads: { main: service.pid, commit } }
    return this.running
  }

  /** All calls that the service makes meanwhile. */
  private async watch(act: (service: Service) => Promise<unknown>): Promise<readonly Call[]> {
    const { service, threads } = this.running ?? (await this.start())
    const tracer = await this.attach(service.pid, '-f', '-e', TRACED)
    await act(service)
    for (let seen = -1; seen < tracer.output().length;) {
      seen = tracer.output().length
      await sleep(REST)
    }
    await tracer.detach()
    const roles = new Map([[threads.main, 'main'] as const, [threads.commit, 'commit'] as const])
    return readTrace(this.tracePath()).map((call) => ({ ...call, thread: roles.get(call.id) ?? null }))
  }

  private attach(id: number, ...options: string[]): Promise<Tracer> {
    this.traces += 1
    return attach(id, this.tracePath(), options, (child) => this.stage.keep(child))
  }

  private tracePath(): string {
    return join(this.dataDir, '..', `trace-${this.traces}`)
  }
}

/** Those that both threads make in one commit. */
function numbered(commit: CommitKind, calls: readonly Call[], dataDir: string): Step[] {
  return calls.flatMap(({ thread, name, text }, index) => {
    if (thread === null) return []
    const same = (other: Call) => other.thread === thread && other.name === name
    const nth = calls.slice(0, index + 1).filter(same).length
    return [{ commit, thread, call: name, nth, of: calls.filter(same).length, onFile: text.includes(dataDir) }]
  })
}

export function describeStep({ commit, thread, call, nth }: Step): string {
  return `${call} ${nth} of a ${commit} in the ${thread} thread`
}

/** The service commits in a way that cannot survive what the fault does. */
export class UnsafeCommit extends Error {
  constructor(sequence: string) {
    super(`a commit must write, flush and rename a temp file, and flush the directory; it does ${sequence}`)
  }
}

/** Tries a plan on some targets, each of which takes the next item when it has done one. */
export async function onTargets<T>(
  targets: readonly Target[],
  plan: readonly T[],
  attempt: (target: Target, item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...plan]
  await Promise.all(
    targets.map(async (target) => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await attempt(target, item)
    }),
  )
}

export function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, lot: Math.random() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ item }) => item)
}
