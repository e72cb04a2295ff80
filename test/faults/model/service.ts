import { pino } from 'pino'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import { type InProcess, startInProcess, type TestClocks } from '../../support/service/in-process.js'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
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
const EXPECTED_WARNING = 'leases ran out'

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

/** The service in this process, on a data directory, by clocks that are set. */
export class ModelledService implements Service {
  readonly isTimed = true

  private constructor(
    readonly dataDir: string,
    private readonly spoiling: Spoiling,
    private readonly clocks: TestClocks,
    private running: InProcess,
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

  close(): Promise<void> {
    return this.running.stop()
  }
}

function start(dataDir: string, { store }: Spoiling, clocks: TestClocks): Promise<InProcess> {
  return startInProcess({
    ...{ dataDir, clocks },
    // What a power cut leaves is tried by others; here only the replies count.
    durability: 'os',
    // No start and no run may warn of anything else.
    logger: pino({ level: 'warn' }, { write: failAt }),
    ...(store === undefined ? {} : { wrapStore: store }),
  })
}

function failAt(line: string): void {
  const { msg } = JSON.parse(line) as { readonly msg: string }
  if (!msg.includes(EXPECTED_WARNING)) throw new Error(line)
}
