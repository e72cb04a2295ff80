import { readFileSync } from 'node:fs'
import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { fastify } from 'fastify'
import { Heartbeat } from '#campaignd/domain/operations/heartbeat.js'
import { ExperimentParams } from '#campaignd/http/requests/parameters.js'

/**
 * The baseline: what Fastify takes by itself to check a heartbeat and to answer it, or to send what lies ready. Arguments: a
 * file of JSON to send, and its tag. Prints its address.
 */

const JSON_TYPE = 'application/json; charset=utf-8'

const [path, tag] = process.argv.slice(2)
const app = fastify().withTypeProvider<TypeBoxTypeProvider>()
app.addSchema(Heartbeat)

app.post(
  '/v1/campaigns/:campaign_id/experiments/:exp_id/heartbeat',
  { schema: { params: ExperimentParams, body: Type.Unsafe<Heartbeat>(Type.Ref('Heartbeat')) } },
  async () => ({ lease_seconds: 60, lease_expires_at: '2026-02-03T21:05:17.319Z', cancel: false }),
)

if (path !== undefined) {
  const bytes = readFileSync(path)
  const text = bytes.toString('utf8')
  app.get('/buffer', async (_request, reply) => reply.header('content-type', JSON_TYPE).send(bytes))
  app.get('/text', async (request, reply) => {
    reply.header('etag', tag)
    if (request.headers['if-none-match'] === tag) return reply.code(304).send()
    return reply.header('content-type', JSON_TYPE).send(text)
  })
}

process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
