/** What is wrong in an input, and where: an RFC 6901 JSON pointer from the root of the body. */
export interface FieldError {
  readonly pointer: string
  readonly detail: string
}

type FieldErrors = [FieldError, ...FieldError[]]

export type DomainErrorCode =
  | 'invalid'
  | 'campaign-exists'
  | 'campaign-full'
  | 'campaign-running'
  | 'experiment-not-found'
  | 'experiment-exists'
  | 'worker-not-found'
  | 'already-running'
  | 'not-the-owner'
  | 'stale-attempt'
  | 'transition-refused'
  | 'no-lease'
  | 'nothing-matches'
  | 'claim-id-used'
  | 'config-changed'
  | 'batch-refused'
  | 'would-lose'
  | 'precondition-failed'
  | 'precondition-required'

/** A refusal by the rules of the domain: a code for programs, a sentence for people, and data. `http/problems` maps it. */
export class DomainError extends Error {
  override readonly name = 'DomainError'

  constructor(
    readonly code: DomainErrorCode,
    detail: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail)
  }
}

/** Input that no state accepts; each error points at its field. */
export function invalid(...errors: FieldErrors): DomainError {
  const details = errors.map(({ pointer, detail }) => (pointer === '' ? detail : `${pointer} ${detail}`))
  return new DomainError('invalid', details.join('; '), { errors })
}

/** The same error, with the pointers of its fields below the given pointer. */
export function within(pointer: string, error: DomainError): DomainError {
  if (error.code !== 'invalid') return error
  const errors = error.facts['errors'] as FieldErrors
  return invalid(...(errors.map((one) => ({ ...one, pointer: `${pointer}${one.pointer}` })) as FieldErrors))
}

/** A JSON pointer (RFC 6901) from its unescaped parts. */
export function jsonPointer(...parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
