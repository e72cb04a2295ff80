import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { VERSION } from '../../runtime/version.ts'

/** The OpenAPI document without its paths and schemas. */
export const DOCUMENT: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = {
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
    { name: 'workers', description: 'Claim experiments, renew their leases by heartbeats, list the running experiments' },
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
