import { RepositoryError } from '../../repository-error.ts'
import type { FileOutcome } from './file-job.ts'

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

const HINTS: Readonly<Record<string, string>> = {
  EROFS: 'The file system is mounted read-only: mount it for writing.',
  EACCES: 'The service may not write there: give the data directory to its user.',
  EPERM: 'The service may not write there: give the data directory to its user.',
  EMFILE: 'The process has too many files open: close connections, or raise its limit (ulimit -n).',
  ENFILE: 'The system has too many files open: raise its limit (fs.file-max).',
  ENOENT: 'The directory of the manifests is gone: put it back, or stop the service.',
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
  const detail = `The store cannot be written (${errno}). Nothing was changed. ${hintOf(errno)}`
  return new RepositoryError('store-unavailable', detail, { cause })
}

/** Why nothing can be written now, and what to do, for the end of a sentence. */
export function reasonOf(outcome: FileOutcome): string {
  if (outcome.kind !== 'refused' || !('errno' in outcome)) return 'it failed, and the log says how'
  const { errno } = outcome
  if (isForLackOfRoom(errno)) return `the disk is full (${errno}), free some room`
  return `a file cannot be written (${errno}). ${hintOf(errno).replace(/\.$/, '')}`
}

function hintOf(errno: string): string {
  return HINTS[errno] ?? 'The log says more.'
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
