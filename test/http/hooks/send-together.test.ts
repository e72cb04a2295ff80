import { fastify } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { sendTogether } from '#campaignd/http/hooks/send-together.js'
import { anyConnections } from '../../support/http/any-connections.js'

async function openBatching() {
  const app = fastify()
  onTestFinished(() => app.close())
  const recorded: string[] = []
  await app.register(sendTogether, {
    connections: anyConnections(),
    hooks: [(request, reply) => void reply.header('x-hook', `${request.url} ${reply.statusCode}`)],
    record: ({ url }, { statusCode }) => recorded.push(`${url} ${statusCode}`),
  })
  app.setErrorHandler((_error, _request, reply) => reply.code(500).removeHeader('x-broken').send('a problem'))
  app.get('/good', () => 'good')
  app.get('/broken', (_request, reply) => reply.header('x-broken', 'two\nlines').send('never'))
  return { app, recorded }
}

test('each response has its own headers of the response hooks, also when many are sent together', async () => {
  const { app } = await openBatching()
  const paths = Array.from({ length: 50 }, (_, index) => `/${index % 2 === 0 ? 'good' : 'none'}?${index}`)
  const replies = await Promise.all(paths.map((path) => app.inject(path)))
  expect(replies.map(({ headers }) => headers['x-hook'])).toEqual(
    paths.map((path) => `${path} ${path.startsWith('/good') ? 200 : 404}`),
  )
})

test('a response that cannot be sent becomes a 500, is recorded once, and leaves the others of its batch alone', async () => {
  const { app, recorded } = await openBatching()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const replies = await Promise.all(
    ['/good', '/broken', '/good'].map(async (path) => {
      const { status } = await fetch(url + path)
      return status
    }),
  )
  expect(replies).toEqual([200, 500, 200])
  expect(recorded.sort()).toEqual(['/broken 500', '/good 200', '/good 200'])
})
