import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { fastify, type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from 'fastify'
import { Connections } from './connections/connections.ts'
import type { AppDependencies } from './dependencies.ts'
import { authentication } from './guards/authentication.ts'
import { authorization, type IsPermitted, permission } from './guards/authorization.ts'
import { bodyHeaders } from './guards/body-headers.ts'
import { crossSite } from './guards/cross-site.ts'
import { draining } from './guards/draining.ts'
import { type Guard, guardHook } from './guards/guard.ts'
import { hostHeader } from './guards/host-header.ts'
import { knownRoute } from './guards/known-route.ts'
import { loadShedding } from './guards/load-shedding.ts'
import { pipelining } from './guards/pipelining.ts'
import { rateLimit } from './guards/rate-limit.ts'
import { revocation } from './guards/revocation.ts'
import { wellFormedUrl } from './guards/well-formed-url.ts'
import { accessLog } from './hooks/access-log.ts'
import { respondToClientError } from './hooks/client-error.ts'
import { connectionHooks } from './hooks/connection-hooks.ts'
import { cors } from './hooks/cors.ts'
import { drain } from './hooks/drain.ts'
import { awaitBody } from './hooks/expectation.ts'
import { requestIdOf } from './hooks/request-id.ts'
import { RequestStart } from './hooks/request-start.ts'
import { closeAfterResponse, closeIfUnread, responseHeaders, type ResponseHook } from './hooks/response-headers.ts'
import { sendTogether } from './hooks/send-together.ts'
import { bodyLimits } from './limits.ts'
import { openApi } from './openapi/open-api.ts'
import { SCHEMAS } from './openapi/schemas.ts'
import { asProblem, HttpError, pathOf } from './problems/problem.ts'
import { streamLimit } from './replies/event-stream.ts'
import { longPollLimit } from './replies/long-poll.ts'
import { problemReply } from './replies/pieces.ts'
import { IncomingBytes } from './requests/incoming-bytes.ts'
import { jsonBody } from './requests/json-body.ts'
import { schemaController } from './requests/validation.ts'
import { routes } from './routes/routes.ts'
import { openServer } from './server.ts'

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>

/** Longest part of a path, in UTF-16: an id of 256 characters of any script. A longer one is refused before it is compared. */
const MAX_PARAM_LENGTH = 512

/** The service without its socket. Closing it ends long polls and streams, and refuses new writes. */
export async function buildApp(dependencies: AppDependencies): Promise<App> {
  const { service, limits, access } = dependencies
  const isPermitted = permission(access)
  const connections = openConnections(dependencies, isPermitted)
  const { app, hooks, record } = createServer(dependencies, connections)
  for (const schema of SCHEMAS) app.addSchema(schema)
  await app.register(connectionHooks, { connections })
  // Before the guards: a page must be allowed to read why it was refused.
  if (access.corsOrigins.length > 0) await app.register(cors, access)
  await app.register(drain, { onDrain: (refusal) => service.drain(refusal) })
  await app.register(sendTogether, { connections, hooks, record })
  const guards = guardsOf(app, dependencies, connections)
  await app.register(guardHook, { guards, onPassed: awaitBody })
  await app.register(revocation, { isPermitted })
  const incoming = new IncomingBytes(bodyLimits(limits).together)
  await app.register(jsonBody, { incoming, stopping: service.stopping })
  await app.register(openApi)
  const places = { longPolls: longPollLimit(limits), streams: streamLimit(limits) }
  service.metrics.watchConnections(connections)
  await app.register(routes, { ...dependencies, connections, ...places })
  return app
}

function openConnections({ limits, access, logger }: AppDependencies, isPermitted: IsPermitted): Connections {
  return new Connections({
    ...{ maxUnsentBytes: limits.maxUnsentBytes, tokens: access.tokens, isPermitted },
    onCut: (cut) => {
      logger.warn(cut, 'a connection is cut off: its client does not take what waits for it')
    },
  })
}

/** Fastify, with the same hooks for every response, also to what never becomes a request. */
function createServer({ service, logger, limits }: AppDependencies, connections: Connections) {
  const app: App = fastify({
    logController: new RequestStart(logger),
    bodyLimit: bodyLimits(limits).other,
    serverFactory: (handle) => openServer(handle, connections, limits),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    return503OnClosing: false,
    genReqId: requestIdOf,
    schemaController: schemaController(service.stopping),
    // What the router itself refuses passes no hook.
    frameworkErrors: (error, request, reply: FastifyReply) => {
      const json = JSON.stringify(asProblem(error, request, reply))
      for (const hook of hooks) hook(request, reply)
      void reply.send(json)
      record(request, reply)
    },
    clientErrorHandler: respondToClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()
  const hooks: readonly ResponseHook[] = [responseHeaders, closeAfterResponse(app), closeIfUnread]
  const record = accessLog(app, service.metrics.requests, logger)
  // The declared responses are documentation: as serialisers they would drop what they do not declare.
  app.setSerializerCompiler(() => JSON.stringify)
  // Without it Fastify searches the declared responses each time, with the same result.
  app.setReplySerializer((payload) => JSON.stringify(payload))
  app.setErrorHandler((error, request, reply) => problemReply(asProblem(error, request, reply)))
  app.setNotFoundHandler((request, reply) => {
    // The guards have refused what is not there, and prepared this.
    if (request.method === 'OPTIONS') return reply.send()
    throw new HttpError('not-found', `There is no ${request.method} ${pathOf(request)}.`)
  })
  return { app, hooks, record }
}

/** In the order in which they run: a caller that may not make a request is limited too. */
function guardsOf(app: FastifyInstance, { access, limits }: AppDependencies, connections: Connections): Guard[] {
  return [
    pipelining(connections),
    hostHeader(access),
    wellFormedUrl(),
    crossSite(access),
    draining(app),
    authentication(app, access),
    ...(limits.maxLag > 0 ? [loadShedding(app, limits)] : []),
    ...(limits.rateLimit > 0 ? [rateLimit(limits)] : []),
    authorization(app),
    knownRoute(app),
    bodyHeaders(),
  ]
}
