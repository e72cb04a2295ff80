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
import { ChangeWatch } from './change-watch.ts'
import { answerClientError, answerExpectation } from './client-error.ts'
import { jsonBody } from './json-body.ts'
import type { Limits } from './limits.ts'
import { ANSWER_HEADERS, answerHeaders } from './plugins/answer-headers.ts'
import { authentication, type AuthenticationOptions } from './plugins/authentication.ts'
import { authorization } from './plugins/authorization.ts'
import { cors, type CorsOptions } from './plugins/cors.ts'
import { crossSite } from './plugins/cross-site.ts'
import { drain } from './plugins/drain.ts'
import { hostHeader, type HostHeaderOptions } from './plugins/host-header.ts'
import { loadShedding } from './plugins/load-shedding.ts'
import { openApi } from './plugins/open-api.ts'
import { rateLimit } from './plugins/rate-limit.ts'
import { requestIdentity } from './plugins/request-identity.ts'
import { HttpError, Problem, sendProblem } from './problem.ts'
import { campaignRoutes } from './routes/campaign.ts'
import { campaignsRoutes } from './routes/campaigns.ts'
import { BatchResult, ExperimentUpdate, experimentBatchRoutes } from './routes/experiment-batch.ts'
import { experimentRoutes } from './routes/experiment.ts'
import { experimentsRoutes } from './routes/experiments.ts'
import { claimsRoutes } from './routes/claims.ts'
import { healthRoutes } from './routes/health.ts'
import { heartbeatRoutes } from './routes/heartbeat.ts'
import { problemRoutes } from './routes/problems.ts'
import { progressRoutes } from './routes/progress.ts'
import { resumeRoutes } from './routes/resume.ts'
import { retryRoutes } from './routes/retry.ts'
import { RunningExperiment, workersRoutes } from './routes/workers.ts'
import { schemaController } from './validation.ts'

/** Who gets in, and by which names and from whose pages. */
export type Access = AuthenticationOptions & HostHeaderOptions & CorsOptions

export interface AppDependencies {
  readonly repository: ManifestRepository
  readonly leases: LeaseKeeper
  readonly logger: Logger
  /** The present as the manifest writes it: RFC 3339, UTC. */
  readonly now: () => string
  readonly limits: Limits
  readonly access: Access
}

/** What routes work with. */
export interface RouteDependencies extends AppDependencies {
  readonly watch: ChangeWatch
}

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, Logger, TypeBoxTypeProvider>

const MIB = 1024 * 1024

/** Longest id of a path; a longer part of one is refused before it is looked at. */
const MAX_PARAM_LENGTH = 256

/** Milliseconds between looks at who takes too long with a request: Node's own 30 s would double and treble the limits. */
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
  Problem,
]

/** The service without its socket. Closing it ends waiting calls and refuses new changes. */
export async function buildApp(dependencies: AppDependencies): Promise<App> {
  const { limits, access } = dependencies
  const app: App = fastify({
    loggerInstance: dependencies.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
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
    genReqId: requestIdentity.generate,
    schemaController,
    frameworkErrors: (error, request, reply) => {
      reply.headers(ANSWER_HEADERS).header('x-request-id', request.id)
      void sendProblem(error, request, reply)
    },
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()

  app.server.maxConnections = limits.maxConnections
  app.server.on('checkExpectation', answerExpectation)
  // The declared answers are documentation: as serialisers they would drop what they do not declare.
  app.setSerializerCompiler(() => JSON.stringify)
  app.setErrorHandler(sendProblem)
  app.setNotFoundHandler((request) => {
    throw new HttpError('not-found', `There is no ${request.method} ${request.url.split('?')[0] ?? ''}.`)
  })
  for (const schema of SCHEMAS) app.addSchema(schema)

  const watch = new ChangeWatch(dependencies.repository, limits.maxWaiting)
  const routes: RouteDependencies = { ...dependencies, watch }
  await app.register(requestIdentity.plugin)
  await app.register(answerHeaders)
  await app.register(hostHeader, access)
  if (access.corsOrigins.length > 0) await app.register(cors, access)
  await app.register(crossSite, access)
  await app.register(drain, { onDrain: () => watch.end() })
  await app.register(authentication, access)
  // From here on in the order in which they judge a call: whoever may not make it is limited too.
  if (limits.maxLag > 0) await app.register(loadShedding, limits)
  if (limits.rateLimit > 0) await app.register(rateLimit, limits)
  await app.register(authorization)
  await app.register(jsonBody)
  await app.register(openApi)
  await app.register(healthRoutes, routes)
  await app.register(problemRoutes)
  await app.register(campaignsRoutes, { prefix: '/v1', ...routes })
  await app.register(campaignRoutes, { prefix: '/v1', ...routes })
  await app.register(progressRoutes, { prefix: '/v1', ...routes })
  await app.register(experimentsRoutes, { prefix: '/v1', ...routes })
  await app.register(experimentBatchRoutes, { prefix: '/v1', ...routes })
  await app.register(experimentRoutes, { prefix: '/v1', ...routes })
  await app.register(claimsRoutes, { prefix: '/v1', ...routes })
  await app.register(heartbeatRoutes, { prefix: '/v1', ...routes })
  await app.register(workersRoutes, { prefix: '/v1', ...routes })
  await app.register(retryRoutes, { prefix: '/v1', ...routes })
  await app.register(resumeRoutes, { prefix: '/v1', ...routes })
  return app
}
