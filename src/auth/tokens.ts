import { hash, randomBytes } from 'node:crypto'
import { isRole, type Role, ROLES } from './role.ts'

/** The caller of a request. */
export interface Actor {
  readonly name: string
  readonly role: Role
  /** The sha256 of its token, in hex: tells the token from another of the same name. Empty: it has none. */
  readonly digest: string
}

/** The faults of a list of tokens, a sentence each. A line is named by its number only: it may have a token. */
export class TokensError extends Error {
  override readonly name = 'TokensError'

  constructor(readonly faults: readonly string[]) {
    super(faults.join('; '))
  }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
const TOKEN_BYTES = 32

/** The tokens that the service knows: the name and the role of each owner, by the sha256 of the token. */
export class Tokens {
  private constructor(private readonly byDigest: ReadonlyMap<string, Actor>) {}

  /**
   * Reads lines `name role sha256:<hex>`; blank lines and those that begin with # are ignored.
   * @throws TokensError naming every line at fault, or when there is no token
   */
  static parse(text: string): Tokens {
    const byDigest = new Map<string, Actor>()
    const faults: string[] = []
    for (const [index, line] of text.split('\n').entries()) {
      const content = line.trim()
      if (content === '' || content.startsWith('#')) continue
      const entry = readLine(content)
      if (typeof entry === 'string') faults.push(`line ${index + 1} ${entry}`)
      else if (byDigest.has(entry.digest)) faults.push(`line ${index + 1} has the token of an earlier line`)
      else byDigest.set(entry.digest, entry)
    }
    // A file that is being written is empty for a moment: that must not lock out all callers.
    if (byDigest.size === 0 && faults.length === 0) faults.push('it has no token')
    if (faults.length > 0) throw new TokensError(faults)
    return new Tokens(byDigest)
  }

  get count(): number {
    return this.byDigest.size
  }

  /** The lines, without comments. */
  toString(): string {
    return [...this.byDigest.values()].map(lineOf).join('\n')
  }

  /** The owner of the token. By its digest, which takes as long with one token as with thousands. */
  actorOf(token: string): Actor | null {
    return this.byDigest.get(digestOf(token)) ?? null
  }

  /** The owner of the same token as it stands in this list; null when that does not have the token. */
  current({ digest }: Actor): Actor | null {
    return this.byDigest.get(digest) ?? null
  }
}

/** A new token, and its line of the tokens file. */
export function createToken(name: string, role: Role): { readonly token: string; readonly line: string } {
  if (!isName(name)) throw new TokensError([NAME_RULE])
  const token = `cmpd_${randomBytes(TOKEN_BYTES).toString('base64url')}`
  return { token, line: lineOf({ name, role, digest: digestOf(token) }) }
}

export function isName(text: string): boolean {
  return NAME.test(text)
}

export const NAME_RULE = 'a name has up to 64 letters, digits and ._@- and begins with a letter or digit'

function readLine(line: string): Actor | string {
  const [name = '', role = '', digest = '', ...more] = line.split(/\s+/)
  if (digest === '' || more.length > 0) return 'is not of the form "name role sha256:<hex>"'
  if (!isName(name)) return `has a bad name: ${NAME_RULE}`
  if (!isRole(role)) return `has an unknown role: the roles are ${ROLES.join(', ')}`
  if (!DIGEST.test(digest)) return 'does not end in sha256: and 64 lower case hex digits'
  return { name, role, digest: digest.slice('sha256:'.length) }
}

function lineOf({ name, role, digest }: Actor): string {
  return `${name} ${role} sha256:${digest}`
}

function digestOf(token: string): string {
  return hash('sha256', token, 'hex')
}
