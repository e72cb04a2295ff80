import { syncClock } from '../model/clock.ts'
import { ApiProblem, problemOf } from './problem.ts'
import { authorization, token, tokenWanted } from './session.ts'

/** Milliseconds after which a call is given up. */
const CALL_TIMEOUT = 30_000

export interface CallOptions {
  readonly method?: string
  readonly body?: unknown
  /** Sent as If-None-Match: the result is null while the resource still has this tag. */
  readonly etag?: string | null
  readonly signal?: AbortSignal
}

export interface ApiResponse<T> {
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
export async function callIfChanged<T>(path: string, options: CallOptions = {}): Promise<ApiResponse<T> | null> {
  const { method = 'GET', body, etag = null, signal } = options
  const timeout = AbortSignal.timeout(CALL_TIMEOUT)
  const response = await request(apiUrl(path), {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(etag === null ? {} : { 'if-none-match': etag }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // The page keeps what it loaded: a copy in the browser's cache would only turn a 304 into a 200.
    cache: 'no-store',
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  })
  if (response.status === 304) return null
  return { body: (await response.json()) as T, etag: response.headers.get('etag') }
}

/** Calls the API without a condition. */
export async function call<T>(path: string, options: Omit<CallOptions, 'etag'> = {}): Promise<T> {
  const response = await callIfChanged<T>(path, options)
  if (response === null) throw new ApiProblem(304, 'unknown', 'Unexpected response', 'The request had no condition.')
  return response.body
}

/**
 * A fetch that sends the token, asks for one when the service needs it, and throws problems.
 * @throws ApiProblem for anything but a 2xx and a 304
 */
export async function request(
  url: string,
  init: Omit<RequestInit, 'headers'> & { headers: Record<string, string> },
): Promise<Response> {
  const response = await fetch(url, { ...init, headers: { ...init.headers, ...authorization() } }).catch(
    (error: unknown) => {
      throw new ApiProblem(0, 'unreachable', 'No response', error instanceof Error ? error.message : String(error))
    },
  )
  syncClock(response.headers.get('date'))
  if (response.ok || response.status === 304) return response
  const problem = await problemOf(response)
  if (response.status === 401) {
    tokenWanted.value =
      token.value === null ? 'This service needs a token.' : `The token was refused: ${problem.message}`
  }
  throw problem
}
