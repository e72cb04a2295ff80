import { fastify } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { sendTogether } from '#campaignd/http/hooks/send-together.js'

async function openDispatch() {
  const app = fastify()
  onTestFinished(() => app.close())
  const recorded: string[] = []
  await app.register(sendTogether, {
    hooks: [(request, reply) => void reply.header('x-stamp', `${request.url} ${reply.statusCode}`)],
    record: ({ url }, { statusCode }) => recorded.push(`${url} ${statusCode}`),
  })
  app.setErrorHandler((_error, _request, reply) => reply.code(500).removeHeader('x-broken').send('a problem'))
  app.get('/good', () => 'good')
  app.get('/broken', (_request, reply) => reply.header('x-broken', 'two\nlines').send('never'))
  return { app, recorded }
}

test('each answer has its own stamps, also when many are sent together', async () => {
  const { app } = await openDispatch()
  const paths = Array.from({ length: 50 }, (_, index) => `/${index % 2 === 0 ? 'good' : 'none'}?${index}`)
  const answers = await Promise.all(paths.map((path) => app.inject(path)))
  expect(answers.map(({ headers }) => headers['x-stamp'])).toEqual(
    paths.map((path) => `${path} ${path.startsWith('/good') ? 200 : 404}`),
  )
})

test('an answer that cannot be sent is a 500, recorded as such and once, and takes none of those along that are sent with it', async () => {
  const { app, recorded } = await openDispatch()
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const answers = await Promise.all(
    ['/good', '/broken', '/good'].map(async (path) => {
      const { status } = await fetch(url + path)
      return status
    }),
  )
  expect(answers).toEqual([200, 500, 200])
  expect(recorded.sort()).toEqual(['/broken 500', '/good 200', '/good 200'])
})
