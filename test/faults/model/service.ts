import { pino } from 'pino'
import { buildApp, type App } from '#campaignd/http/app.js'
import { LeaseKeeper } from '#campaignd/leases/lease-keeper.js'
import { Metrics } from '#campaignd/metrics/metrics.js'
import { openFileRepository, type FileRepositoryOptions } from '#campaignd/repository/file/open-file-repository.js'
import type { ManifestRepository } from '#campaignd/repository/repository.js'

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
  readonly repository?: (repository: ManifestRepository) => ManifestRepository
  /** Done between the end of the one and the start of the next. */
  readonly restart?: (dataDir: string) => void
}

const BODY_LIMIT = 16 * 1024 * 1024

/** The service in this process, on a data directory, by a clock that is set. */
export class ModelledService {
  now = ''
  private constructor(
    readonly dataDir: string,
    private readonly spoiling: Spoiling,
    private running: { readonly app: App; readonly repository: ManifestRepository },
  ) {}

  static async open(dataDir: string, spoiling: Spoiling): Promise<ModelledService> {
    const now = () => service.now
    const service: ModelledService = new ModelledService(dataDir, spoiling, await start(dataDir, spoiling, now))
    return service
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

  /** Ends it as a stop does, and starts another one on what it left. */
  async restart(): Promise<void> {
    await this.close()
    this.spoiling.restart?.(this.dataDir)
    this.running = await start(this.dataDir, this.spoiling, () => this.now)
  }

  async close(): Promise<void> {
    await this.running.app.close()
    await this.running.repository.close()
  }
}

async function start(dataDir: string, { repository: spoil }: Spoiling, now: () => string) {
  const options: FileRepositoryOptions = {
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
  const opened = await openFileRepository(options)
  const repository = spoil?.(opened) ?? opened
  const leases = await LeaseKeeper.open({
    repository,
    now,
    monotonic: () => 0,
    onExpired: () => undefined,
    onError: (_, error) => {
      throw error
    },
  })
  const logger = pino({ level: 'silent' })
  const app = await buildApp({ repository, leases, metrics: new Metrics(), logger, bodyLimit: BODY_LIMIT, now })
  return { app, repository }
}
