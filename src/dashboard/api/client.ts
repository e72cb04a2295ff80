import { hearTime } from '../model/clock.ts'
import { ApiProblem, problemOf } from './problem.ts'
import { authorization, token, tokenWanted } from './session.ts'

/** Milliseconds after which an answer is no longer waited for. */
const PATIENCE = 30_000

export interface CallOptions {
  readonly method?: string
  readonly body?: unknown
  /** Answer null when the resource still has this tag. */
  readonly etag?: string | null
  readonly signal?: AbortSignal
}

export interface Answer<T> {
  readonly body: T
  readonly etag: string | null
}

/** The URL of an API path, below wherever the page was loaded from. */
export function apiUrl(path: string): string {
  return new URL(`v1${path}`, document.baseURI).href
}

/**
 * Calls the API.
 * @returns null when the resource is still the one of the given ETag
 * @throws ApiProblem for anything but a 2xx
 */
export async function callIfChanged<T>(path: string, options: CallOptions = {}): Promise<Answer<T> | null> {
  const { method = 'GET', body, etag = null, signal } = options
  const patience = AbortSignal.timeout(PATIENCE)
  const answer = await request(apiUrl(path), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(etag === null ? {} : { 'if-none-match': etag }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // What is known is kept here: a copy of it in the browser's cache would only turn a 304 into a 200.
    cache: 'no-store',
    signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
  })
  if (answer.status === 304) return null
  return { body: (await answer.json()) as T, etag: answer.headers.get('etag') }
}

/** Calls the API for the answer as it stands. */
export async function call<T>(path: string, options: Omit<CallOptions, 'etag'> = {}): Promise<T> {
  const answer = await callIfChanged<T>(path, options)
  if (answer === null) throw new ApiProblem(304, 'unknown', 'Unexpected answer', 'Nothing was asked conditionally.')
  return answer.body
}

/**
 * A fetch that says who asks, asks for a token when one is wanted, and throws what is refused.
 * @throws ApiProblem for anything but a 2xx and a 304
 */
export async function request(
  url: string,
  init: Omit<RequestInit, 'headers'> & { headers: Record<string, string> },
): Promise<Response> {
  const answer = await fetch(url, { ...init, headers: { ...init.headers, ...authorization() } }).catch(
    (error: unknown) => {
      throw new ApiProblem(0, 'unreachable', 'No answer', error instanceof Error ? error.message : String(error))
    },
  )
  hearTime(answer.headers.get('date'))
  if (answer.ok || answer.status === 304) return answer
  const problem = await problemOf(answer)
  if (answer.status === 401) {
    tokenWanted.value =
      token.value === null ? 'This service wants a token.' : `The token was refused: ${problem.message}`
  }
  throw problem
}
