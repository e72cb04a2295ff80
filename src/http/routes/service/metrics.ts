import { Type } from '@sinclair/typebox'
import type { Route } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'

const MetricsText = Type.String({ examples: ['# TYPE campaignd_leases_live gauge\ncampaignd_leases_live 4\n'] })

export const metricsRoutes: Route = async (app, { service, access }) => {
  app.get(
    '/metrics',
    {
      // Under an attack they are what tells of it.
      config: { role: access.openMetrics ? 'none' : 'read', isVital: true },
      schema: {
        operationId: 'getMetrics',
        tags: ['service'],
        summary: 'Metrics for Prometheus',
        description:
          'In the text format, `text/plain; version=0.0.4`. src/metrics/README.md lists them. Needs a token unless ' +
          'CAMPAIGND_OPEN_METRICS is true.',
        response: responses('read', [], { 200: { description: 'All', schema: MetricsText, type: 'text/plain' } }),
      },
    },
    async (_request, reply) => {
      reply.type(service.metrics.contentType)
      return service.metrics.text()
    },
  )
}
