import { expect } from 'vitest'
import type { DomainErrorCode } from '#campaignd/domain/errors.js'

/** Matches the refusal of that code, with these facts beside it. */
export function refusal(code: DomainErrorCode, facts: Readonly<Record<string, unknown>> = {}): unknown {
  return expect.objectContaining({ code, facts: expect.objectContaining(facts) as unknown })
}

/** Matches the refusal of an input for its field at this JSON pointer. */
export function invalidAt(pointer: string): unknown {
  return refusal('invalid', { errors: [expect.objectContaining({ pointer })] })
}
