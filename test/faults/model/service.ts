import { pino } from 'pino'
import { buildApp, type App } from '#campaignd/http/app.js'
import { DEFAULT_LIMITS } from '#campaignd/http/limits.js'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import { openService } from '#campaignd/service/open-service.js'
import type { Service as OpenService } from '#campaignd/service/service.js'

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
  readonly store?: (store: CampaignStore) => CampaignStore
  /** Done between the end of the one and the start of the next. */
  readonly restart?: (dataDir: string) => void
}

/** Leases run out in every run. */
const EXPECTED_WARNINGS = ['leases ran out']

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
  readonly service: OpenService
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
    return this.running.service.leases.sweep()
  }

  async close(): Promise<void> {
    await this.running.app.close()
    await this.running.service.close()
  }
}

async function start(dataDir: string, { store }: Spoiling, clocks: Clocks): Promise<Running> {
  // Nothing that a start or a run warns of may come about here.
  const logger = pino({ level: 'warn' }, { write: failAt })
  const limits = { ...DEFAULT_LIMITS, bodyLimit: BODY_LIMIT, maxLag: 0 }
  const service = await openService({
    ...{ dataDir, limits, logger },
    // What a power cut leaves is tried by others; here it is what is told that counts.
    durability: 'os',
    clocks: { wall: () => Date.parse(clocks.wall), monotonic: () => clocks.monotonic },
    onFatal: (reason) => {
      throw reason
    },
    ...(store === undefined ? {} : { wrapStore: store }),
  })
  const app = await buildApp({
    ...{ service, logger, limits },
    access: { tokens: () => null, allowedHosts: [], corsOrigins: [], openMetrics: false },
  })
  return { app, service }
}

function failAt(line: string): void {
  const { msg } = JSON.parse(line) as { readonly msg: string }
  if (!EXPECTED_WARNINGS.some((expected) => msg.includes(expected))) throw new Error(line)
}
