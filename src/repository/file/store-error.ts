import { RepositoryError } from '../campaign-store.ts'
import type { FileOutcome } from './commit/file-job.ts'

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

const HINTS: Readonly<Record<string, string>> = {
  EROFS: 'The file system is mounted read-only.',
  EACCES: 'The service may not write there.',
  EPERM: 'The service may not write there.',
  EMFILE: 'The process has too many files open.',
  EBUSY: 'The manifest is a mount of its own: mount the data directory instead.',
}

/** What to tell a caller whose write was refused by the system; nothing of it was done. */
export function storeError(outcome: FileOutcome): RepositoryError {
  if (outcome.kind === 'refused' && outcome.because === 'error') {
    const { errno } = outcome
    const cause = new Error(outcome.detail)
    if (isForLackOfRoom(errno)) {
      return new RepositoryError(
        'store-full',
        `The disk is full (${errno}). Nothing was changed; free some room and repeat.`,
        { cause },
      )
    }
    const hint = HINTS[errno] ?? 'The log tells more.'
    return new RepositoryError(
      'store-unavailable',
      `The store cannot be written (${errno}). Nothing was changed. ${hint}`,
      { cause },
    )
  }
  return new RepositoryError('store-unavailable', 'The store cannot be written. Nothing was changed.')
}

export function isForLackOfRoom(errno: string): boolean {
  return NO_ROOM.has(errno)
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

export function stopping(reason: string): RepositoryError {
  return new RepositoryError('store-unavailable', `The store takes no more changes: ${reason}. Nothing was changed.`)
}

export function outcomeUnknown(reason: string): RepositoryError {
  return new RepositoryError(
    'durability-unknown',
    `Whether the change is there cannot be told: ${reason}. Repeat the call.`,
  )
}

export function lockLost(): Error {
  return new Error('the lock of the data directory was lost')
}
