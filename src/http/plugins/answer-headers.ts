import fastifyPlugin from 'fastify-plugin'

/** Of every answer; a route may set others for what it serves. */
export const ANSWER_HEADERS = {
  'cache-control': 'private, no-cache',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const

const HEADERS = Object.entries(ANSWER_HEADERS)

/** No browser guesses what an answer is or embeds it elsewhere, and no cache gives it to somebody else. */
export const answerHeaders = fastifyPlugin(
  (app, _options, done) => {
    app.addHook('onRequest', (_request, reply, next) => {
      for (const [name, value] of HEADERS) reply.header(name, value)
      next()
    })
    done()
  },
  { name: 'answer-headers', fastify: '5.x' },
)
