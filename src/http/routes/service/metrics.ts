import { Type } from '@sinclair/typebox'
import type { Route } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'

const Figures = Type.String({ examples: ['# TYPE campaignd_leases_live gauge\ncampaignd_leases_live 4\n'] })

export const metricsRoutes: Route = async (app, { service, access }) => {
  app.get(
    '/metrics',
    {
      config: { role: access.openMetrics ? 'none' : 'read' },
      schema: {
        operationId: 'getMetrics',
        tags: ['service'],
        summary: 'The service in figures, for Prometheus',
        description:
          'In the text format, `text/plain; version=0.0.4`. The README lists them. Needs a token unless CAMPAIGND_OPEN_METRICS is true.',
        response: responses('read', [], { 200: { description: 'The figures', schema: Figures, type: 'text/plain' } }),
      },
    },
    async (_request, reply) => {
      reply.type(service.metrics.contentType)
      return service.metrics.text()
    },
  )
}
