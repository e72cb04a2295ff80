import type { DomainErrorCode } from '../../domain/errors.ts'
import type { RepositoryErrorCode } from '../../repository/repository-error.ts'
import { CAMPAIGN_PROBLEMS, EXPERIMENT_PROBLEMS } from './catalog/campaign-problems.ts'
import { ACCESS_PROBLEMS, REQUEST_PROBLEMS } from './catalog/request-problems.ts'
import { SERVICE_PROBLEMS } from './catalog/service-problems.ts'
import type { ProblemKind } from './problem-kind.ts'

/** The compiler refuses a list that lacks an error of the domain or of the store. */
const CATALOG = {
  ...REQUEST_PROBLEMS,
  ...ACCESS_PROBLEMS,
  ...CAMPAIGN_PROBLEMS,
  ...EXPERIMENT_PROBLEMS,
  ...SERVICE_PROBLEMS,
} satisfies Readonly<Record<DomainErrorCode | RepositoryErrorCode, ProblemKind>>

export type ProblemCode = keyof typeof CATALOG

/** Refusals that only HTTP knows. */
export type HttpErrorCode = Exclude<ProblemCode, DomainErrorCode | RepositoryErrorCode>

/** Every problem, ordered by status. */
export const PROBLEMS = Object.fromEntries(
  Object.entries<ProblemKind>(CATALOG).sort(([, a], [, b]) => a.status - b.status),
) as Readonly<Record<ProblemCode, ProblemKind>>

export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[]
