import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Logger } from 'pino'
import type { Service } from '../service/service.ts'
import type { ConcurrencyLimit } from './connections/concurrency-limit.ts'
import type { Connections } from './connections/connections.ts'
import type { AuthenticationOptions } from './guards/authentication.ts'
import type { HostHeaderOptions } from './guards/host-header.ts'
import type { CorsOptions } from './hooks/cors.ts'
import type { Limits } from './limits.ts'

/** Which callers are accepted, under which host names, and from pages of which origins. */
export interface Access extends AuthenticationOptions, HostHeaderOptions, CorsOptions {
  /** Whether `/metrics` needs no token. */
  readonly openMetrics: boolean
}

/** What the HTTP server is built on. */
export interface AppDependencies {
  readonly service: Service
  readonly logger: Logger
  readonly limits: Limits
  readonly access: Access
}

/** What routes work with. */
export interface RouteDependencies extends AppDependencies {
  readonly connections: Connections
  readonly longPolls: ConcurrencyLimit
  readonly streams: ConcurrencyLimit
}

/** The plugin of a route. */
export type Route = FastifyPluginAsyncTypebox<RouteDependencies>
