import { type TSchema, Type } from '@sinclair/typebox'
import { ref } from '../../domain/schema.ts'
import { type ProblemCode, PROBLEMS } from '../problems/catalog.ts'
import { Problem, PROBLEM_TYPE } from '../problems/problem.ts'

/** Problems of every call, whatever it does and from every caller. */
const ANY_CALL: readonly ProblemCode[] = [
  'invalid',
  'malformed-url',
  'malformed-request',
  'request-timeout',
  'url-too-long',
  'expectation-failed',
  'headers-too-large',
  'internal',
]
/** Problems of the calls that guards protect. */
const ANY_GUARDED: readonly ProblemCode[] = [
  'misdirected-request',
  'too-many-requests',
  'overloaded',
  'too-much-unsent',
]
const ANY_WRITE: readonly ProblemCode[] = [
  'unauthorized',
  'forbidden',
  'cross-site-refused',
  'malformed-json',
  'malformed-encoding',
  'body-too-large',
  'too-much-incoming',
  'unsupported-media-type',
  'unsupported-encoding',
  'store-unavailable',
  'store-full',
  'durability-unknown',
  'draining',
]

const HEADERS = {
  'x-request-id': Type.String({ description: 'Id of the request in the log; that of the client, if it sent one' }),
  etag: Type.String({ description: 'Strong tag of this version' }),
  location: Type.String({ description: 'Path of the created resource' }),
  vary: Type.String({ description: 'Headers of the request that the response depends on' }),
  'content-disposition': Type.String({ description: 'Name of the file; only with text/csv' }),
  'runs-without-lease': Type.Integer({
    minimum: 0,
    description: 'Only with ?cancel_running=true: runs that are not told, since they send no heartbeats',
  }),
  'retry-after': Type.Integer({ minimum: 1, description: 'Seconds after which to try again' }),
  'www-authenticate': Type.String({ description: 'How to authenticate: by a bearer token, and of which role' }),
}

interface Success {
  readonly description: string
  /** Null: the response has no body. */
  readonly schema: TSchema | null
  readonly type?: string
  /** What the body may be as well, by type. */
  readonly otherTypes?: Readonly<Record<string, TSchema>>
  readonly headers?: readonly ('etag' | 'location' | 'vary' | 'content-disposition' | 'runs-without-lease')[]
}

/**
 * Which problems a call has beside those of every call: a `probe` has none, an `open` call needs no token, a `read` needs one, and
 * a `write` needs a role.
 */
type Kind = 'probe' | 'open' | 'read' | 'write'

const PROBLEMS_OF: Readonly<Record<Kind, readonly ProblemCode[]>> = {
  probe: ANY_CALL,
  open: [...ANY_CALL, ...ANY_GUARDED],
  read: [...ANY_CALL, ...ANY_GUARDED, 'unauthorized'],
  write: [...ANY_CALL, ...ANY_GUARDED, ...ANY_WRITE],
}

/** The problems of each call of one campaign. */
export const OF_CAMPAIGN = ['campaign-not-found', 'campaign-corrupt'] as const

/** The problems of each call of one experiment. */
export const OF_EXPERIMENT = [...OF_CAMPAIGN, 'experiment-not-found'] as const

export const NOT_MODIFIED: Success = { description: 'The client has this version already', schema: null }

/**
 * All responses of a call for the document.
 * @param problems those of this call beside those of every call of its kind
 * @param success by status
 */
export function responses(
  kind: Kind,
  problems: readonly ProblemCode[],
  success: Readonly<Record<number, Success>>,
): Record<string, unknown> {
  const codes = new Set<ProblemCode>([...PROBLEMS_OF[kind], ...problems])
  const described = Object.entries(success).map(([status, one]) => [status, documentSuccess(one)] as const)
  return Object.fromEntries([...described, ...documentProblems([...codes])])
}

function documentSuccess({
  description,
  schema,
  type = 'application/json',
  otherTypes = {},
  headers = [],
}: Success): object {
  const body = schema === null ? { type: 'null' } : { content: contentOf({ [type]: schema, ...otherTypes }) }
  return { description, headers: pickHeaders('x-request-id', ...headers), ...body }
}

function contentOf(schemas: Readonly<Record<string, TSchema>>): Readonly<Record<string, object>> {
  return Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { schema }]))
}

function documentProblems(codes: readonly ProblemCode[]): [string, object][] {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))]
  return statuses.map((status) => {
    const ofStatus = codes.filter((code) => PROBLEMS[code].status === status)
    const described = ofStatus.map((code) => `\`${code}\`: ${PROBLEMS[code].meaning}`)
    const content = { [PROBLEM_TYPE]: { schema: ref(Problem) } }
    const headers = pickHeaders(
      'x-request-id',
      ...(ofStatus.some((code) => PROBLEMS[code].retryAfter !== undefined) ? ['retry-after' as const] : []),
      ...(status === 401 ? ['www-authenticate' as const] : []),
    )
    return [String(status), { description: described.join('\n\n'), headers, content }]
  })
}

function pickHeaders(...names: (keyof typeof HEADERS)[]): object {
  return Object.fromEntries(names.map((name) => [name, HEADERS[name]]))
}
