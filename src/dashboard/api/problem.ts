/** What the service refuses with, or that it cannot be reached. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'

  constructor(
    /** 0: there was no answer. */
    readonly status: number,
    readonly code: string,
    readonly title: string,
    detail: string,
  ) {
    super(detail)
  }

  /** True when asking again may help by itself. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500
  }
}

interface ProblemBody {
  readonly code?: string
  readonly title?: string
  readonly detail?: string
}

/** The problem that an answer tells. */
export async function problemOf(answer: Response): Promise<ApiProblem> {
  const body = (await answer.json().catch(() => ({}))) as ProblemBody
  const title = body.title ?? `HTTP ${answer.status}`
  return new ApiProblem(answer.status, body.code ?? 'unknown', title, body.detail ?? title)
}

export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  return new ApiProblem(0, 'unreachable', 'No answer', error instanceof Error ? error.message : String(error))
}
