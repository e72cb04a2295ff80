import type { Logger } from 'pino'
import { type App, buildApp } from '#campaignd/http/app.js'
import type { Access } from '#campaignd/http/dependencies.js'
import { DEFAULT_LIMITS, type Limits } from '#campaignd/http/limits.js'
import { openService, type ServiceOptions } from '#campaignd/service/open-service.js'
import type { Service } from '#campaignd/service/service.js'

/** The two clocks of a service in this process, which its test sets. */
export interface TestClocks {
  /** RFC 3339. */
  wall: string
  /** Milliseconds. */
  monotonic: number
}

export interface InProcessOptions extends Pick<ServiceOptions, 'dataDir' | 'durability' | 'wrapStore'> {
  readonly clocks: TestClocks
  readonly logger: Logger
  /** Where they differ from the defaults. The test itself keeps the event loop busy: by default its lag is not limited. */
  readonly limits?: Partial<Limits>
  readonly access?: Partial<Access>
}

export interface InProcess {
  readonly app: App
  readonly service: Service
  stop(): Promise<void>
}

/** Starts the service in this process; it listens on no port. What would end the process is thrown. */
export async function startInProcess(options: InProcessOptions): Promise<InProcess> {
  const { clocks, access, logger } = options
  const limits = { ...DEFAULT_LIMITS, maxLag: 0, ...options.limits }
  const service = await openService({
    ...{ ...options, limits },
    clocks: { wall: () => Date.parse(clocks.wall), monotonic: () => clocks.monotonic },
    onFatal: (reason) => {
      throw reason
    },
  })
  const app = await buildApp({
    ...{ service, logger, limits },
    access: { tokens: () => null, allowedHosts: [], corsOrigins: [], openMetrics: false, ...access },
  })
  const stop = async () => {
    await app.close()
    await service.close()
  }
  return { app, service, stop }
}
