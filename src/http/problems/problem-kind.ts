export interface ProblemKind {
  readonly status: number
  readonly title: string
  readonly meaning: string
  /** What the caller can do about it. */
  readonly remedy: string
  /** Seconds after which to try again. */
  readonly retryAfter?: number
}

/** Some of the problems by their codes. */
export type ProblemKinds = Readonly<Record<string, ProblemKind>>

export function problemKind(status: number, title: string, help: Omit<ProblemKind, 'status' | 'title'>): ProblemKind {
  return { status, title, ...help }
}
