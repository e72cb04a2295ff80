export type RepositoryErrorCode =
  | 'campaign-not-found'
  | 'campaign-exists'
  | 'campaign-corrupt'
  | 'store-unavailable'
  | 'store-full'
  | 'durability-unknown'

/** Why a store refused a call; like a domain error it knows no HTTP. */
export class RepositoryError extends Error {
  override readonly name = 'RepositoryError'

  constructor(
    readonly code: RepositoryErrorCode,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(detail, options)
  }
}

export function isRefusal(error: unknown, ...codes: readonly RepositoryErrorCode[]): boolean {
  return error instanceof RepositoryError && codes.includes(error.code)
}

export function notFound(id: string): RepositoryError {
  return new RepositoryError('campaign-not-found', `There is no campaign ${id}.`)
}

export function alreadyThere(id: string): RepositoryError {
  return new RepositoryError('campaign-exists', `There is a campaign ${id} already.`)
}

export function corrupt(id: string, reason: string): RepositoryError {
  const detail = `The file of campaign ${id} cannot be trusted, so it is left alone: ${reason}. DELETE with ?force=true moves it aside.`
  return new RepositoryError('campaign-corrupt', detail)
}

/** The store takes no more changes; nothing was changed. */
export function unavailable(reason: string): RepositoryError {
  return new RepositoryError('store-unavailable', `The store takes no more changes: ${reason}. Nothing was changed.`)
}

export function outcomeUnknown(reason: string): RepositoryError {
  return new RepositoryError(
    'durability-unknown',
    `Whether the change is there is not known: ${reason}. Repeat the call.`,
  )
}
