/** A problem of the service, or that it cannot be reached. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'

  constructor(
    /** 0: there was no response. */
    readonly status: number,
    readonly code: string,
    readonly title: string,
    detail: string,
  ) {
    super(detail)
  }

  /** True when a retry may succeed. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

interface ProblemBody {
  readonly code?: string
  readonly title?: string
  readonly detail?: string
}

/** The problem in a response. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const body = (await response.json().catch(() => ({}))) as ProblemBody
  const title = body.title ?? `HTTP ${response.status}`
  return new ApiProblem(response.status, body.code ?? 'unknown', title, body.detail ?? title)
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  return new ApiProblem(0, 'unreachable', 'No response', error instanceof Error ? error.message : String(error))
}
