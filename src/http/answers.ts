import { Type, type TSchema } from '@sinclair/typebox'
import { PROBLEM_TYPE } from './problem.ts'
import { PROBLEMS, type ProblemCode } from './problem-catalog.ts'

/** Problems that any call can end with, whatever it does. */
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
const ANY_WRITE: readonly ProblemCode[] = [
  'malformed-json',
  'body-too-large',
  'unsupported-media-type',
  'store-unavailable',
  'store-full',
  'durability-unknown',
  'draining',
]

const HEADERS = {
  'x-request-id': Type.String({ description: 'The request in the log; yours, if you sent one' }),
  etag: Type.String({ description: 'Strong tag of this version' }),
  location: Type.String({ description: 'Path of what was created' }),
}

interface Success {
  readonly description: string
  /** Null: the answer has no body. */
  readonly schema: TSchema | null
  readonly type?: string
  readonly headers?: readonly ('etag' | 'location')[]
}

interface Answers {
  readonly success: Readonly<Record<number, Success>>
  readonly kind: 'read' | 'write'
  /** What this call in particular can be refused with. */
  readonly problems?: readonly ProblemCode[]
}

/** All answers of a call for the documentation: its own, its problems, and those that any call of the kind can have. */
export function answers({ success, kind, problems = [] }: Answers): Record<string, unknown> {
  const codes = new Set<ProblemCode>([...ANY_CALL, ...(kind === 'read' ? [] : ANY_WRITE), ...problems])
  const described = Object.entries(success).map(([status, one]) => [status, documentSuccess(one)] as const)
  return Object.fromEntries([...described, ...documentProblems([...codes])])
}

function documentSuccess({ description, schema, type = 'application/json', headers = [] }: Success): object {
  const content = schema === null ? {} : { content: { [type]: { schema } } }
  return {
    description,
    headers: pickHeaders('x-request-id', ...headers),
    ...content,
    ...(schema === null ? { type: 'null' } : {}),
  }
}

function documentProblems(codes: readonly ProblemCode[]): [string, object][] {
  const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))]
  return statuses.map((status) => {
    const described = codes
      .filter((code) => PROBLEMS[code].status === status)
      .map((code) => `\`${code}\`: ${PROBLEMS[code].meaning}`)
    const content = { [PROBLEM_TYPE]: { schema: Type.Ref('Problem') } }
    return [String(status), { description: described.join('\n\n'), headers: pickHeaders('x-request-id'), content }]
  })
}

function pickHeaders(...names: (keyof typeof HEADERS)[]): object {
  return Object.fromEntries(names.map((name) => [name, HEADERS[name]]))
}
