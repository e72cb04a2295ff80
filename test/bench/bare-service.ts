import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { fastify } from 'fastify'
import { Heartbeat } from '#campaignd/domain/heartbeat.js'
import { ExperimentParams } from '#campaignd/http/routes/parameters.js'

/** The baseline: what Fastify takes by itself to check a heartbeat and to answer it. Prints its address. */

const app = fastify().withTypeProvider<TypeBoxTypeProvider>()
app.addSchema(Heartbeat)

app.post(
  '/v1/campaigns/:campaign_id/experiments/:exp_id/heartbeat',
  { schema: { params: ExperimentParams, body: Type.Unsafe<Heartbeat>(Type.Ref('Heartbeat')) } },
  async () => ({ lease_seconds: 60, lease_expires_at: '2026-02-03T21:05:17.319Z', cancel: false }),
)

process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
