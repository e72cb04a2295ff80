import fastifyPlugin from 'fastify-plugin'

/** Of every answer; a route may set others for what it serves. */
export const ANSWER_HEADERS = {
  'cache-control': 'private, no-cache',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const

/** No browser guesses what an answer is or embeds it elsewhere, and no cache gives it to somebody else. */
export const answerHeaders = fastifyPlugin(
  (app, _options, done) => {
    app.addHook('onRequest', (_request, reply, next) => {
      reply.headers(ANSWER_HEADERS)
      next()
    })
    done()
  },
  { name: 'answer-headers', fastify: '5.x' },
)
