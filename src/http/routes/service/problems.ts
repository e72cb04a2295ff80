import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { StrictObject, StringEnum } from '../../../domain/schema.ts'
import { responses } from '../../openapi/responses.ts'
import { PROBLEM_CODES, type ProblemCode, PROBLEMS } from '../../problems/catalog.ts'

const PLAIN_TEXT = 'text/plain; charset=utf-8'

/** The pages that the `type` of a problem refers to. */
export const problemRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/problems/:code',
    {
      config: { role: 'none' },
      schema: {
        operationId: 'explainProblem',
        tags: ['service'],
        summary: 'What a problem means and what to do about it',
        params: StrictObject({
          code: StringEnum(PROBLEM_CODES, { description: '`code` of a problem', examples: ['stale-attempt'] }),
        }),
        response: responses('open', [], {
          200: { description: 'An explanation', schema: Type.String(), type: 'text/plain' },
        }),
      },
    },
    (request, reply) => {
      reply.type(PLAIN_TEXT)
      return explain(request.params.code)
    },
  )

  app.get('/problems', { config: { role: 'none' }, schema: { hide: true } }, (_request, reply) => {
    reply.type(PLAIN_TEXT)
    return PROBLEM_CODES.map(explain).join('\n')
  })
}

function explain(code: ProblemCode): string {
  const { status, title, meaning, remedy } = PROBLEMS[code]
  return `${title} (${code}, HTTP ${status})\n\n${meaning}\n\nWhat to do: ${remedy}\n`
}
