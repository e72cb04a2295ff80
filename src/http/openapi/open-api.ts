import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { htmlHeaders } from '../hooks/html-headers.ts'
import { DOCUMENT } from './document.ts'

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
    const optionalBodies = new Set<string>()
    await app.register(swagger, {
      transform: transformRoute(optionalBodies),
      transformObject: transformDocument(optionalBodies),
      convertConstToEnum: false,
      refResolver: { buildLocalReference: (json) => json['$id'] as string },
      openapi: DOCUMENT,
    })
    await app.register(documentationPage)
    app.get('/openapi.json', { config: { role: 'none' }, schema: { hide: true } }, () => app.swagger())
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
        ...(role === 'none' ? {} : { security: [{ token: [role] }] }),
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
      if (requestBody !== undefined && 'required' in requestBody) requestBody.required = !optionalBodies.has(operationId)
    }
    return openapiObject
  }
}

/** A scope of its own, so that only the pages have the headers of pages. */
async function documentationPage(pages: FastifyInstance): Promise<void> {
  await pages.register(htmlHeaders, { allowInlineStyles: true })
  await pages.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { layout: 'BaseLayout' },
    theme: { title: 'campaignd' },
  })
}
