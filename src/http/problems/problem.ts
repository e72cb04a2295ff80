import { type Static, Type } from '@sinclair/typebox'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { DomainError, jsonPointer } from '../../domain/errors.ts'
import { CampaignManifestEntry } from '../../domain/experiment/experiment.ts'
import { CampaignDifference } from '../../domain/operations/merge/difference.ts'
import { configDiffProperties } from '../../domain/operations/resume.ts'
import { WouldLose } from '../../domain/operations/save/would-lose.ts'
import { Described, ref, StrictObject, StringEnum } from '../../domain/schema.ts'
import { RepositoryError } from '../../repository/repository-error.ts'
import { type HttpErrorCode, PROBLEM_CODES, type ProblemCode, PROBLEMS } from './catalog.ts'
import { fieldErrors, LocatedError } from './located-error.ts'

const EXAMPLE = {
  ...{ type: '/problems/invalid', title: 'Invalid input', status: 400, code: 'invalid' },
  ...{ detail: '/experiments/0/exp_id is required', instance: '/v1/campaigns' },
  errors: [{ pointer: '/experiments/0/exp_id', detail: 'is required' }],
}

function Names(what: string) {
  return Type.Array(Type.String(), { description: `With \`nothing-matches\`: ${what} that the campaign has` })
}

/** RFC 9457, with extension members by code. */
export const Problem = StrictObject(
  {
    type: Type.String({ description: 'URI of a page that explains the problem', examples: ['/problems/invalid'] }),
    title: Type.String({ description: 'The problem in a few words', examples: ['Invalid input'] }),
    status: Type.Integer({ description: 'The HTTP status', examples: [400] }),
    detail: Type.String({ description: 'What happened in this case', examples: ['/experiments/0/exp_id is required'] }),
    instance: Type.String({ description: 'Path of the request', examples: ['/v1/campaigns'] }),
    code: StringEnum(PROBLEM_CODES, { description: 'The problem for programs', examples: ['invalid'] }),
    errors: Type.Optional(Type.Array(LocatedError, { description: 'With `invalid`: the fields at fault' })),
    experiment: Type.Optional(ref(CampaignManifestEntry, { description: 'The current state of the experiment' })),
    results: Type.Optional(
      // By name: each result may have a problem.
      Type.Array(Type.Ref('BatchResult'), { description: 'With `batch-refused`: the outcome of each update' }),
    ),
    difference: Type.Optional(
      Described(CampaignDifference, 'With `campaign-exists`: how the body differs from the campaign'),
    ),
    would_lose: Type.Optional(Described(WouldLose, 'With `would-lose`: what would be overwritten or removed')),
    backends: Type.Optional(Names('backends')),
    containers: Type.Optional(Names('containers')),
    // With `config-changed`: the differences.
    ...Type.Partial(Type.Object(configDiffProperties)).properties,
  },
  {
    $id: 'Problem',
    description: 'Why the call was refused; see `GET /problems/{code}`',
    examples: [EXAMPLE],
  },
)

export type Problem = Static<typeof Problem>

export const PROBLEM_TYPE = 'application/problem+json'

/** Path of a request, without its query. */
export function pathOf({ url }: Pick<FastifyRequest, 'url'>): string {
  return url.split('?')[0] ?? ''
}

/** A refusal by the rules of HTTP. */
export class HttpError extends Error {
  override readonly name = 'HttpError'

  constructor(
    readonly code: HttpErrorCode,
    detail: string,
  ) {
    super(detail)
  }
}

/** A fault in a query parameter or a header that no schema can check. */
export function invalidParameter(place: 'query' | 'header', name: string, detail: string): DomainError {
  const errors = [{ in: place, pointer: jsonPointer(name), detail }]
  return new DomainError('invalid', `${place} ${name} ${detail}`, { errors })
}

export function problem(code: ProblemCode, detail: string, instance: string, facts: object = {}): Problem {
  const { status, title } = PROBLEMS[code]
  return { type: `/problems/${code}`, title, status, detail, instance, code, ...facts }
}

/** The problem to send for an error. An unexpected error reveals only that the log has it. */
export function problemOf(error: unknown, instance: string): Problem {
  if (error instanceof DomainError) return problem(error.code, error.message, instance, error.facts)
  if (error instanceof RepositoryError || error instanceof HttpError) {
    return problem(error.code, error.message, instance)
  }
  const { validation, validationContext, code = '' } = error as Partial<FastifyError>
  if (validation !== undefined) {
    const errors = fieldErrors(validation, validationContext)
    return problem('invalid', errors.map(describeError).join('; '), instance, { errors })
  }
  const httpCode = FRAMEWORK_ERRORS[code]
  if (httpCode !== undefined) return problem(httpCode, PROBLEMS[httpCode].meaning, instance)
  return problem('internal', 'The log has the error, under the request id of this response.', instance)
}

function describeError({ in: part, pointer, detail }: LocatedError): string {
  const place = pointer === '' ? `the ${part ?? 'body'}` : pointer
  return part === undefined || pointer === '' ? `${place} ${detail}` : `${part} ${place} ${detail}`
}

const FRAMEWORK_ERRORS: Readonly<Record<string, HttpErrorCode>> = {
  FST_ERR_BAD_URL: 'malformed-url',
  FST_ERR_MAX_PARAM_LENGTH: 'url-too-long',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-request',
}

/**
 * Makes the reply a problem for the error that was thrown, and logs it when the service is at fault.
 * @returns the body to send
 */
export function asProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): Problem {
  const instance = pathOf(request)
  // A client that disconnects within its body is not a fault of the service.
  const isAborted = request.raw.errored !== null && request.raw.errored === error
  const body = isAborted
    ? problem('malformed-request', 'The request ends before its body does.', instance)
    : problemOf(error, instance)
  if (body.status >= 500) request.log.error({ request_id: request.id, err: error }, body.title)
  const { retryAfter } = PROBLEMS[body.code]
  if (retryAfter !== undefined && !reply.hasHeader('retry-after')) reply.header('retry-after', retryAfter)
  reply.code(body.status).header('content-type', PROBLEM_TYPE).removeHeader('content-encoding')
  return body
}
