import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, preHandlerHookHandler } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { VERSION } from '../../runtime/version.ts'
import { htmlHeaders } from '../hooks/html-headers.ts'
import { nameBodies } from './named-bodies.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The schema of the body for the document, where the handler accepts more and checks it item by item. */
    readonly documentedBody?: object
    /** The request may have no body. */
    readonly isBodyOptional?: boolean
  }
}

/** The OpenAPI document without its paths and schemas. */
const DOCUMENT: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = {
  openapi: '3.1.0',
  info: {
    title: 'campaignd',
    version: VERSION,
    description:
      'Keeps the manifests of benchmark campaigns: which experiment runs which config, where, in which state it is, ' +
      'where its result lies and what went wrong. A 2xx means durable. Times are RFC 3339 in UTC.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/' }],
  tags: [
    { name: 'campaigns', description: 'Create, find, change and delete campaigns' },
    { name: 'experiments', description: 'Report and read the status of experiments' },
    {
      name: 'workers',
      description: 'Claim experiments, renew their leases by heartbeats, list the running experiments',
    },
    { name: 'events', description: 'Follow campaigns as they change' },
    { name: 'resume', description: 'Continue after an interruption' },
    { name: 'service', description: 'The service itself' },
  ],
  security: [],
  components: {
    securitySchemes: {
      token: {
        type: 'http',
        scheme: 'bearer',
        description:
          'Needed where the service has a tokens file. Each call names its role: `read`, `work`, which includes `read`, or ' +
          '`admin`, which includes both.',
      },
    },
  },
}

/** Collects the schemas of the routes that are registered after it: GET /openapi.json, and for people, /docs. */
export const openApi = fastifyPlugin(
  async (app) => {
    const optionalBodies = new Set<string>()
    await app.register(swagger, {
      transform: transformRoute(optionalBodies),
      transformObject: transformDocument(optionalBodies),
      convertConstToEnum: false,
      refResolver: { buildLocalReference: (json) => json['$id'] as string },
      openapi: DOCUMENT,
    })
    let encoded: Buffer | null = null
    // Once, for all that ask: no token is needed, and it is large. Before the first call, which would hold up all others.
    app.addHook('onReady', (done) => {
      encoded = Buffer.from(JSON.stringify(app.swagger()))
      done()
    })
    const send: preHandlerHookHandler = (_request, reply) => {
      void reply.type('application/json; charset=utf-8').send(encoded)
    }
    await app.register(documentationPage, { send })
    app.get('/openapi.json', { config: { role: 'none' }, schema: { hide: true }, preHandler: send }, () => undefined)
  },
  { name: 'open-api', fastify: '5.x' },
)

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>
type TransformDocument = NonNullable<FastifyDynamicSwaggerOptions['transformObject']>

/** Adds what the config of a route says to its schema; notes the operations that need no body. */
function transformRoute(optionalBodies: Set<string>): Transform {
  return ({ schema, url, route }) => {
    const { documentedBody, isBodyOptional, role = 'none' } = route.config ?? {}
    if (isBodyOptional === true) optionalBodies.add(schema.operationId ?? '')
    return {
      url,
      schema: {
        ...schema,
        ...(documentedBody === undefined ? {} : { body: documentedBody }),
        // The empty one: a service without a tokens file asks for none.
        ...(role === 'none' ? {} : { security: [{ token: [role] }, {}] }),
      },
    }
  }
}

/** Sets for each POST whether its body is required; @fastify/swagger requires every body. */
function transformDocument(optionalBodies: ReadonlySet<string>): TransformDocument {
  return (document) => {
    if (!('openapiObject' in document)) throw new Error('this is not an OpenAPI 3 document')
    const { openapiObject } = document
    const operations = Object.values(openapiObject.paths ?? {}).flatMap((path) =>
      path?.post === undefined ? [] : [path.post],
    )
    for (const { operationId = '', requestBody } of operations) {
      if (requestBody !== undefined && 'required' in requestBody)
        requestBody.required = !optionalBodies.has(operationId)
    }
    return nameBodies(openapiObject)
  }
}

interface DocumentationOptions {
  /** Sends the document. */
  readonly send: preHandlerHookHandler
}

/** A scope of its own, so that only the pages have the headers of pages. */
async function documentationPage(pages: FastifyInstance, { send }: DocumentationOptions): Promise<void> {
  await pages.register(htmlHeaders, { allowInlineStyles: true })
  await pages.register(swaggerUi, {
    routePrefix: '/docs',
    uiHooks: {
      preHandler(request, reply, next) {
        if (request.routeOptions.url === '/docs/json') send.call(pages, request, reply, next)
        else next()
      },
    },
    uiConfig: { layout: 'BaseLayout' },
    theme: { title: 'campaignd' },
  })
}
