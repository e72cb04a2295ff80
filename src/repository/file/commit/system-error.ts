import { RepositoryError } from '../../repository-error.ts'
import type { FileOutcome } from './file-job.ts'

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

const HINTS: Readonly<Record<string, string>> = {
  EROFS: 'The file system is mounted read-only.',
  EACCES: 'The service may not write there.',
  EPERM: 'The service may not write there.',
  EMFILE: 'The process has too many files open.',
  EBUSY: 'The manifest is a mount of its own: mount the data directory instead.',
}

/** The error for a caller whose write was refused; nothing of it was done. */
export function systemError(outcome: FileOutcome): RepositoryError {
  if (outcome.kind !== 'refused' || outcome.because !== 'error') {
    return new RepositoryError('store-unavailable', 'The store cannot be written. Nothing was changed.')
  }
  const { errno } = outcome
  const cause = new Error(outcome.detail)
  if (isForLackOfRoom(errno)) {
    const detail = `The disk is full (${errno}). Nothing was changed; free some room and repeat.`
    return new RepositoryError('store-full', detail, { cause })
  }
  const hint = HINTS[errno] ?? 'The log says more.'
  const detail = `The store cannot be written (${errno}). Nothing was changed. ${hint}`
  return new RepositoryError('store-unavailable', detail, { cause })
}

export function isForLackOfRoom(errno: string): boolean {
  return NO_ROOM.has(errno)
}

/** Why nothing may be written after this outcome; null when it ends nothing. */
export function endOf(outcome: FileOutcome): Error | null {
  switch (outcome.kind) {
    case 'lock-lost':
      return lockLost()
    case 'unknown':
      return new Error(outcome.detail)
    case 'stopped':
      return new Error('another write ended in doubt')
    case 'done':
    case 'refused':
      return null
  }
}

export function lockLost(): Error {
  return new Error('the lock of the data directory was lost')
}
