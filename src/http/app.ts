import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { LogController, fastify, type FastifyInstance } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Logger } from 'pino'
import { CampaignDraft, ExperimentDraft } from '../domain/draft.ts'
import { CampaignManifestEntry } from '../domain/experiment.ts'
import { CampaignManifest } from '../domain/manifest.ts'
import { CampaignSummary, CorruptCampaign } from '../domain/campaign-list.ts'
import { CampaignPatch } from '../domain/patch-campaign.ts'
import { Progress, StatusCounts } from '../domain/progress.ts'
import { PythonToolManifest } from '../domain/python-tool-manifest.ts'
import { ExperimentReport } from '../domain/report.ts'
import { ClaimRequest } from '../domain/claim.ts'
import { Heartbeat } from '../domain/heartbeat.ts'
import { ResumeRequest } from '../domain/resume-request.ts'
import { RetryRequest } from '../domain/retry.ts'
import type { LeaseKeeper } from '../leases/lease-keeper.ts'
import type { ManifestRepository } from '../repository/repository.ts'
import { CampaignFeed } from '../live/campaign-feed.ts'
import { CampaignChangeEvent, CampaignGoneEvent, ChangeEvent, SnapshotEvent } from '../live/event-data.ts'
import { EventHub } from '../live/event-hub.ts'
import { answerClientError, answerExpectation } from './client-error.ts'
import { jsonBody } from './json-body.ts'
import { drain } from './plugins/drain.ts'
import { hostHeader } from './plugins/host-header.ts'
import { openApi } from './plugins/open-api.ts'
import { requestIdentity } from './plugins/request-identity.ts'
import { HttpError, Problem, sendProblem } from './problem.ts'
import { campaignRoutes } from './routes/campaign.ts'
import { campaignsRoutes } from './routes/campaigns.ts'
import { BatchResult, ExperimentUpdate, experimentBatchRoutes } from './routes/experiment-batch.ts'
import { experimentRoutes } from './routes/experiment.ts'
import { experimentsRoutes } from './routes/experiments.ts'
import { claimsRoutes } from './routes/claims.ts'
import { dashboardRoutes } from './routes/dashboard.ts'
import { eventsRoutes } from './routes/events.ts'
import { healthRoutes } from './routes/health.ts'
import { heartbeatRoutes } from './routes/heartbeat.ts'
import { problemRoutes } from './routes/problems.ts'
import { progressRoutes } from './routes/progress.ts'
import { resumeRoutes } from './routes/resume.ts'
import { retryRoutes } from './routes/retry.ts'
import { RunningExperiment, workersRoutes } from './routes/workers.ts'
import { schemaController } from './validation.ts'

export interface AppDependencies {
  readonly repository: ManifestRepository
  readonly leases: LeaseKeeper
  readonly logger: Logger
  /** The present as the manifest writes it: RFC 3339, UTC. */
  readonly now: () => string
  /** The largest body, in bytes, for creating and appending; other calls take no more than 1 MiB of it. */
  readonly bodyLimit: number
}

/** What routes work with. */
export interface RouteDependencies extends AppDependencies {
  readonly feed: CampaignFeed
  readonly events: EventHub
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The streams of events, to be counted. */
    readonly eventHub: EventHub
  }
}

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, Logger, TypeBoxTypeProvider>

const MIB = 1024 * 1024

/** Longest id of a path; a longer part of one is refused before it is looked at. */
const MAX_PARAM_LENGTH = 256

/** Milliseconds that a client may take to send its headers, and its whole request. */
const HEADERS_TIMEOUT = 15_000
const REQUEST_TIMEOUT = 60_000
/** How often it is looked at who has taken longer: Node's own 30 s would double and treble these times. */
const TIMEOUT_CHECK = 1_000

const SCHEMAS = [
  CampaignManifestEntry,
  CampaignManifest,
  PythonToolManifest,
  ExperimentDraft,
  CampaignDraft,
  CampaignPatch,
  StatusCounts,
  Progress,
  CampaignSummary,
  CorruptCampaign,
  ExperimentReport,
  ExperimentUpdate,
  BatchResult,
  RetryRequest,
  ResumeRequest,
  ClaimRequest,
  Heartbeat,
  RunningExperiment,
  ChangeEvent,
  SnapshotEvent,
  CampaignChangeEvent,
  CampaignGoneEvent,
  Problem,
]

/** The service without its socket. Closing it ends waiting calls and refuses new changes. */
export async function buildApp(dependencies: AppDependencies): Promise<App> {
  const app: App = fastify({
    loggerInstance: dependencies.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit: Math.min(MIB, dependencies.bodyLimit),
    requestTimeout: REQUEST_TIMEOUT,
    http: {
      headersTimeout: HEADERS_TIMEOUT,
      connectionsCheckingInterval: TIMEOUT_CHECK,
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    return503OnClosing: false,
    genReqId: requestIdentity.generate,
    schemaController,
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id)
      void sendProblem(error, request, reply)
    },
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.server.on('checkExpectation', answerExpectation)
  // The declared answers are documentation: as serialisers they would drop what they do not declare.
  app.setSerializerCompiler(() => JSON.stringify)
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler((request) => {
    throw new HttpError('not-found', `There is no ${request.method} ${request.url.split('?')[0] ?? ''}.`)
  })
  for (const schema of SCHEMAS) app.addSchema(schema)

  const feed = new CampaignFeed(dependencies.repository)
  const events = new EventHub(dependencies.repository, feed)
  app.decorate('eventHub', events)
  const routes: RouteDependencies = { ...dependencies, feed, events }
  await app.register(requestIdentity.plugin)
  await app.register(hostHeader)
  await app.register(drain, {
    onDrain: () => {
      events.end()
      feed.end()
    },
  })
  await app.register(jsonBody)
  await app.register(openApi)
  await app.register(healthRoutes, routes)
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
