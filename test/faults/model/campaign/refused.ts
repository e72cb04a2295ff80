import type { ProblemCode } from '#campaignd/http/problems/catalog.js'

export class Refused extends Error {
  override readonly name = 'Refused'

  constructor(
    readonly status: number,
    readonly code: ProblemCode,
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(`${status} ${code}`)
  }
}
