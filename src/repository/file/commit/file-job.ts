import type { FileIdentity } from './file-identity.ts'

/** A change of one file. */
export type FileChange =
  | { readonly kind: 'create'; readonly path: string; readonly temp: string; readonly parts: readonly Uint8Array[] }
  | {
      readonly kind: 'replace'
      readonly path: string
      readonly temp: string
      readonly parts: readonly Uint8Array[]
      readonly expected: FileIdentity
    }
  | { readonly kind: 'delete'; readonly path: string; readonly expected: FileIdentity }
  | { readonly kind: 'move'; readonly path: string; readonly to: string }

/**
 * - `flush`: makes files durable as they are; it ends at the first that cannot be
 * - `probe`: writes a file and removes it, to learn whether one can be written
 */
export type FileJob =
  | FileChange
  | { readonly kind: 'flush'; readonly paths: readonly string[] }
  | { readonly kind: 'probe'; readonly temp: string }

/**
 * - `done`: it is on disk, and survives a power cut
 * - `refused`: nothing changed. `exists`: the path is taken; `changed-outside`: the file is not the one we left;
 *   `error`: a system call failed, with its errno name; `unflushed`: the flush of a file failed that was there. It must not be
 *   repeated on that file, since the system would report success for what it has lost
 * - `lock-lost`: nothing changed by us, and nothing may be any more: the directory belongs to somebody else
 * - `unknown`: the name was changed and then something failed; what a power cut leaves is not known
 * - `stopped`: nothing changed, since another job was `lock-lost` or `unknown`
 */
export type FileOutcome =
  | { readonly kind: 'done'; readonly identity: FileIdentity | null }
  | { readonly kind: 'refused'; readonly because: 'exists' | 'changed-outside' }
  | { readonly kind: 'refused'; readonly because: 'error'; readonly errno: string; readonly detail: string }
  | {
      readonly kind: 'refused'
      readonly because: 'unflushed'
      readonly path: string
      readonly errno: string
      readonly detail: string
    }
  | { readonly kind: 'lock-lost' }
  | { readonly kind: 'unknown'; readonly detail: string }
  | { readonly kind: 'stopped' }

/** How a job ended, and its share of the milliseconds for which its round kept the disk. */
export interface JobReport {
  readonly outcome: FileOutcome
  readonly milliseconds: number
}
