import { DomainError } from '../errors.ts'

/**
 * Names one committed state of a campaign, also after a restart: entity tags and event ids are made of it. The uid differs
 * from that of an earlier campaign with the same id.
 */
export interface Version {
  readonly uid: string
  readonly revision: number
}

/** The versions that are accepted, as `versionText` formats them; `*` is any. Null: no condition. */
export type Precondition = readonly string[] | null

/** A version as text: `5f0c1e9a7b3d2468-27`. */
export function versionText({ uid, revision }: Version): string {
  return `${uid}-${revision}`
}

/** @returns null when the text is no version */
export function parseVersion(text: string): Version | null {
  const [, uid, revision] = /^([0-9a-f]{16})-([1-9]\d{0,15})$/.exec(text) ?? []
  return uid === undefined || revision === undefined ? null : { uid, revision: Number(revision) }
}

/** @throws DomainError `precondition-failed` when the current version is not among the required ones */
export function requireVersion(required: Precondition, current: Version): void {
  if (required === null) return
  const text = versionText(current)
  if (required.some((version) => version === '*' || version === text)) return
  const detail = `The request requires version ${required.join(' or ')}, but the current version is ${text}. Get it, and decide again.`
  throw new DomainError('precondition-failed', detail)
}
