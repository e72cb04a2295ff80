import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { fastify, type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Logger } from 'pino'
import type { LeaseKeeper } from '../leases/lease-keeper.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { CampaignStore } from '../repository/campaign-store.ts'
import { CampaignFeed } from '../live/campaign-feed.ts'
import { EventHub } from '../live/event-hub.ts'
import { accessLog } from './hooks/access-log.ts'
import { RequestStart } from './hooks/request-start.ts'
import { authentication, type AuthenticationOptions } from './guards/authentication.ts'
import { authorization } from './guards/authorization.ts'
import type { Guard } from './guards/guard.ts'
import { crossSite } from './guards/cross-site.ts'
import { draining } from './guards/draining.ts'
import { hostHeader, type HostHeaderOptions } from './guards/host-header.ts'
import { loadShedding } from './guards/load-shedding.ts'
import { pipelining } from './guards/pipelining.ts'
import { rateLimit } from './guards/rate-limit.ts'
import { respondToClientError, respondToExpectation } from './problems/client-error.ts'
import { jsonBody } from './requests/json-body.ts'
import type { Limits } from './limits.ts'
import { cors, type CorsOptions } from './hooks/cors.ts'
import { sendTogether } from './hooks/send-together.ts'
import { drain } from './hooks/drain.ts'
import { guardHook } from './guards/guard-hook.ts'
import { openApi } from './openapi/open-api.ts'
import type { ConcurrencyLimit } from './replies/concurrency-limit.ts'
import { streamLimit } from './replies/event-stream.ts'
import { longPollLimit } from './replies/long-poll.ts'
import { asProblem, HttpError } from './problems/problem.ts'
import { requestIdOf } from './hooks/request-id.ts'
import { campaignRoutes } from './routes/campaigns/campaign.ts'
import { campaignsRoutes } from './routes/campaigns/campaigns.ts'
import { experimentBatchRoutes } from './routes/experiments/experiment-batch.ts'
import { experimentRoutes } from './routes/experiments/experiment.ts'
import { experimentsRoutes } from './routes/experiments/experiments.ts'
import { claimsRoutes } from './routes/workers/claims.ts'
import { dashboardRoutes } from './routes/service/dashboard.ts'
import { eventsRoutes } from './routes/events/events.ts'
import { healthRoutes } from './routes/service/health.ts'
import { heartbeatRoutes } from './routes/workers/heartbeat.ts'
import { metricsRoutes, type MetricsRouteOptions } from './routes/service/metrics.ts'
import { problemRoutes } from './routes/service/problems.ts'
import { progressRoutes } from './routes/campaigns/progress.ts'
import { resumeRoutes } from './routes/campaigns/resume.ts'
import { retryRoutes } from './routes/campaigns/retry.ts'
import { workersRoutes } from './routes/workers/workers.ts'
import { SCHEMAS } from './openapi/schemas.ts'
import { responseHeaders } from './hooks/response-headers.ts'
import { closeAfterResponse } from './hooks/close-after-response.ts'
import type { ResponseHook } from './hooks/response-hook.ts'
import { schemaController } from './requests/validation.ts'

/** Who gets in, and by which names and from whose pages. */
export type Access = AuthenticationOptions & HostHeaderOptions & CorsOptions & MetricsRouteOptions

export interface AppDependencies {
  readonly repository: CampaignStore
  readonly leases: LeaseKeeper
  readonly metrics: Metrics
  readonly logger: Logger
  /** The present as the manifest writes it: RFC 3339, UTC. */
  readonly now: () => string
  readonly limits: Limits
  readonly access: Access
}

/** What routes work with. */
export interface RouteDependencies extends AppDependencies {
  readonly feed: CampaignFeed
  readonly events: EventHub
  /** For calls that are held until something changes. */
  readonly waiting: ConcurrencyLimit
  readonly streams: ConcurrencyLimit
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The streams of events, to be counted. */
    readonly eventHub: EventHub
  }
}

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>

const MIB = 1024 * 1024

/** Longest id of a path; a longer part of one is refused before it is looked at. */
const MAX_PARAM_LENGTH = 256

/** Milliseconds between looks at who takes too long with a request: Node's own 30 s would double and treble the limits. */
const TIMEOUT_CHECK = 1_000

/** The service without its socket. Closing it ends waiting calls and refuses new changes. */
export async function buildApp(dependencies: AppDependencies): Promise<App> {
  const { repository, leases, metrics, logger, limits, access } = dependencies
  const app: App = fastify({
    logController: new RequestStart(logger),
    bodyLimit: Math.min(MIB, limits.bodyLimit),
    requestTimeout: limits.requestTimeout * 1000,
    keepAliveTimeout: limits.keepAliveTimeout * 1000,
    http: {
      headersTimeout: limits.headersTimeout * 1000,
      connectionsCheckingInterval: TIMEOUT_CHECK,
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    return503OnClosing: false,
    genReqId: requestIdOf,
    schemaController,
    // What has no route passes no hook.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      const json = asProblem(error, request, reply)
      for (const hook of hooks) hook(request, reply)
      void reply.send(json)
      record(request, reply)
    },
    clientErrorHandler: respondToClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()

  const hooks: readonly ResponseHook[] = [responseHeaders, closeAfterResponse(app)]
  const record = accessLog(app, { requests: metrics.requests, logger })
  app.server.maxConnections = limits.maxConnections
  app.server.on('checkExpectation', respondToExpectation)
  // The declared answers are documentation: as serialisers they would drop what they do not declare.
  app.setSerializerCompiler(() => JSON.stringify)
  // Without it each answer is looked up among those declared, by its status and media type, to be stringified all the same.
  app.setReplySerializer((payload) => JSON.stringify(payload))
  app.setErrorHandler(asProblem)
  app.setNotFoundHandler((request) => {
    throw new HttpError('not-found', `There is no ${request.method} ${request.url.split('?')[0] ?? ''}.`)
  })
  for (const schema of SCHEMAS) app.addSchema(schema)

  const feed = new CampaignFeed(repository)
  const events = new EventHub(repository, feed)
  app.decorate('eventHub', events)
  metrics.watch({
    repository,
    leases,
    events,
    onError: (error) => {
      logger.error({ err: error }, 'the campaigns could not be counted: the metrics leave them out')
    },
  })
  const routes: RouteDependencies = {
    ...{ ...dependencies, feed, events },
    waiting: longPollLimit(limits),
    streams: streamLimit(limits),
  }
  // Before the gate: a page has to be let read why it was refused.
  if (access.corsOrigins.length > 0) await app.register(cors, access)
  await app.register(drain, {
    onDrain: () => {
      events.end()
      feed.end()
    },
  })
  await app.register(sendTogether, { hooks, record })
  await app.register(guardHook, { guards: guardsOf(app, dependencies) })
  await app.register(jsonBody)
  await app.register(openApi)
  await app.register(healthRoutes, routes)
  await app.register(metricsRoutes, routes)
  await app.register(problemRoutes)
  await app.register(dashboardRoutes)
  await app.register(campaignsRoutes, { prefix: '/v1', ...routes })
  await app.register(campaignRoutes, { prefix: '/v1', ...routes })
  await app.register(progressRoutes, { prefix: '/v1', ...routes })
  await app.register(experimentsRoutes, { prefix: '/v1', ...routes })
  await app.register(experimentBatchRoutes, { prefix: '/v1', ...routes })
  await app.register(experimentRoutes, { prefix: '/v1', ...routes })
  await app.register(claimsRoutes, { prefix: '/v1', ...routes })
  await app.register(heartbeatRoutes, { prefix: '/v1', ...routes })
  await app.register(workersRoutes, { prefix: '/v1', ...routes })
  await app.register(eventsRoutes, { prefix: '/v1', ...routes })
  await app.register(retryRoutes, { prefix: '/v1', ...routes })
  await app.register(resumeRoutes, { prefix: '/v1', ...routes })
  return app
}

/** In the order in which they judge a call: whoever may not make it is limited too. */
function guardsOf(app: FastifyInstance, { access, limits }: AppDependencies): Guard[] {
  return [
    pipelining(),
    hostHeader(access),
    crossSite(access),
    draining(app),
    authentication(app, access),
    ...(limits.maxLag > 0 ? [loadShedding(app, limits)] : []),
    ...(limits.rateLimit > 0 ? [rateLimit(limits)] : []),
    authorization(app),
  ]
}
