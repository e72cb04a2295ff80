import { DomainError } from '../errors.ts'

/**
 * One committed state of a campaign, named so that every process understands it after any restart: entity tags and event ids
 * are made of it. The uid tells it from those of a campaign that had the id before.
 */
export interface Version {
  readonly uid: string
  readonly revision: number
}

/** The versions of which a resource must have one, as `versionText` writes them; `*` stands for any. Null: no condition. */
export type Precondition = readonly string[] | null

/** A version as text: `5f0c1e9a7b3d2468-27`. */
export function versionText({ uid, revision }: Version): string {
  return `${uid}-${revision}`
}

/** @returns the version that the text names; null when it names none */
export function parseVersion(text: string): Version | null {
  const [, uid, revision] = /^([0-9a-f]{16})-([1-9]\d{0,15})$/.exec(text) ?? []
  return uid === undefined || revision === undefined ? null : { uid, revision: Number(revision) }
}

/** @throws DomainError `precondition-failed` when the resource has none of the versions that the caller requires */
export function requireVersion(required: Precondition, current: Version): void {
  if (required === null) return
  const text = versionText(current)
  if (required.some((version) => version === '*' || version === text)) return
  const detail = `The request requires version ${required.join(' or ')}, but the current version is ${text}.`
  throw new DomainError('precondition-failed', detail)
}
