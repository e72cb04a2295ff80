import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastifyPlugin from 'fastify-plugin'
import { VERSION } from '../../runtime/version.ts'
import { htmlHeaders } from '../hooks/html-headers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The schema of the body for the document, where the handler accepts more and checks it item by item. */
    readonly documentedBody?: object
    /** The request may have no body. */
    readonly isBodyOptional?: boolean
  }
}

/** Collects the schemas of the routes that are registered after it: GET /openapi.json, and for people, /docs. */
export const openApi = fastifyPlugin(
  async (app) => {
    const bodyIsOptional = new Set<string>()
    await app.register(swagger, {
      transform: ({ schema, url, route }) => {
        const { documentedBody, isBodyOptional, role = 'none' } = route.config ?? {}
        if (isBodyOptional === true) bodyIsOptional.add(schema.operationId ?? '')
        return {
          url,
          schema: {
            ...schema,
            ...(documentedBody === undefined ? {} : { body: documentedBody }),
            ...(role === 'none' ? {} : { security: [{ token: [role] }] }),
          },
        }
      },
      transformObject: (document) => {
        if (!('openapiObject' in document)) throw new Error('this is no OpenAPI 3 document')
        const { openapiObject } = document
        const operations = Object.values(openapiObject.paths ?? {}).flatMap((path) =>
          path?.post === undefined ? [] : [path.post],
        )
        for (const { operationId = '', requestBody } of operations) {
          if (requestBody !== undefined && 'required' in requestBody)
            requestBody.required = !bodyIsOptional.has(operationId)
        }
        return openapiObject
      },
      convertConstToEnum: false,
      refResolver: { buildLocalReference: (json) => json['$id'] as string },
      openapi: {
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
          { name: 'workers', description: 'Claim experiments, hold them by heartbeats, see who holds what' },
          { name: 'events', description: 'Follow campaigns as they change' },
          { name: 'resume', description: 'Go on after an interruption' },
          { name: 'service', description: 'The service itself' },
        ],
        security: [],
        components: {
          securitySchemes: {
            token: {
              type: 'http',
              scheme: 'bearer',
              description:
                'Needed where the service has a tokens file. Each call names its role: `read`, `work`, which may read too, or ' +
                '`admin`, which may do all.',
            },
          },
        },
      },
    })
    await app.register(async (pages) => {
      await pages.register(htmlHeaders, { allowInlineStyles: true })
      await pages.register(swaggerUi, {
        routePrefix: '/docs',
        uiConfig: { layout: 'BaseLayout' },
        theme: { title: 'campaignd' },
      })
    })
    app.get('/openapi.json', { config: { role: 'none' }, schema: { hide: true } }, () => app.swagger())
  },
  { name: 'open-api', fastify: '5.x' },
)
