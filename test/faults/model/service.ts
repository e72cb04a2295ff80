import { pino } from 'pino'
import { buildApp, type App } from '#campaignd/http/app.js'
import { DEFAULT_LIMITS } from '#campaignd/http/limits.js'
import { LeaseKeeper } from '#campaignd/leases/lease-keeper.js'
import { Metrics } from '#campaignd/metrics/metrics.js'
import { openFileStore, type FileStoreOptions } from '#campaignd/repository/file/open-file-store.js'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** What makes a service a wrong one, to see that the model notices. */
export interface Spoiling {
  readonly call?: (call: Call) => Call
  readonly repository?: (repository: CampaignStore) => CampaignStore
  /** Done between the end of the one and the start of the next. */
  readonly restart?: (dataDir: string) => void
}

const BODY_LIMIT = 16 * 1024 * 1024

/** What the commands of a run are made to. */
export interface Service {
  readonly dataDir: string
  /** Its clocks are set, so that all its times are known. */
  readonly isTimed: boolean
  /** The wall clock, RFC 3339, where it can be set. */
  now: string
  call(wanted: Call): Promise<Reply>
  /** Ends it, and starts another one on what it left. */
  restart(): Promise<void>
  /** Lets time go by for the leases, and for nothing else. */
  pass(milliseconds: number): Promise<void>
  /** Has the leases given up that ran out. */
  sweep(): Promise<void>
  close(): Promise<void>
}

interface Running {
  readonly app: App
  readonly leases: LeaseKeeper
  readonly repository: CampaignStore
}

/** The two clocks of a service. */
interface Clocks {
  /** RFC 3339. */
  wall: string
  /** Milliseconds. */
  monotonic: number
}

/** The service in this process, on a data directory, by clocks that are set. */
export class ModelledService implements Service {
  readonly isTimed = true

  private constructor(
    readonly dataDir: string,
    private readonly spoiling: Spoiling,
    private readonly clocks: Clocks,
    private running: Running,
  ) {}

  static async open(dataDir: string, spoiling: Spoiling): Promise<ModelledService> {
    const clocks = { wall: '', monotonic: 0 }
    return new ModelledService(dataDir, spoiling, clocks, await start(dataDir, spoiling, clocks))
  }

  set now(time: string) {
    this.clocks.wall = time
  }

  async call(wanted: Call): Promise<Reply> {
    const { method, path, body, headers = {} } = this.spoiling.call?.(wanted) ?? wanted
    const answer = await this.running.app.inject({
      method,
      url: path,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    })
    return { status: answer.statusCode, headers: answer.headers as Record<string, string>, text: answer.payload }
  }

  /** Ends it as a stop does. */
  async restart(): Promise<void> {
    await this.close()
    this.spoiling.restart?.(this.dataDir)
    this.running = await start(this.dataDir, this.spoiling, this.clocks)
  }

  pass(milliseconds: number): Promise<void> {
    this.clocks.monotonic += milliseconds
    return Promise.resolve()
  }

  sweep(): Promise<void> {
    return this.running.leases.sweep()
  }

  async close(): Promise<void> {
    await this.running.app.close()
    await this.running.leases.close()
    await this.running.repository.close()
  }
}

async function start(dataDir: string, { repository: spoil }: Spoiling, clocks: Clocks): Promise<Running> {
  const now = () => clocks.wall
  const options: FileStoreOptions = {
    dataDir,
    // What a power cut leaves is tried by others; here it is what is told that counts.
    durability: 'os',
    onWait: () => undefined,
    onNotice: (sentence) => {
      throw new Error(`at the start: ${sentence}`)
    },
    onCorrupt: (id, reason) => {
      throw new Error(`${id} is corrupt: ${reason}`)
    },
    onCommit: () => undefined,
    onFatal: (reason) => {
      throw reason
    },
  }
  const opened = await openFileStore(options)
  const repository = spoil?.(opened) ?? opened
  const leases = await LeaseKeeper.open({
    repository,
    wall: () => Date.parse(now()),
    monotonic: () => clocks.monotonic,
    onExpired: () => undefined,
    onError: (_, error) => {
      throw error
    },
  })
  const logger = pino({ level: 'silent' })
  const app = await buildApp({
    ...{ repository, leases, metrics: new Metrics(), logger, now },
    limits: { ...DEFAULT_LIMITS, bodyLimit: BODY_LIMIT, maxLag: 0 },
    access: { tokens: () => null, allowedHosts: [], corsOrigins: [], openMetrics: false },
  })
  return { app, leases, repository }
}
