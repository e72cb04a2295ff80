import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isRole, type Role, ROLES } from './role.ts'

/** The caller of a request. */
export interface Actor {
  readonly name: string
  readonly role: Role
}

interface Entry extends Actor {
  readonly digest: Buffer
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

/** The tokens that the service knows: the name and the role of each owner, and the sha256 of the token. */
export class Tokens {
  private constructor(private readonly entries: readonly Entry[]) {}

  /**
   * Reads lines `name role sha256:<hex>`; blank lines and those that begin with # are ignored.
   * @throws TokensError naming every line at fault, or when there is no token
   */
  static parse(text: string): Tokens {
    const entries: Entry[] = []
    const faults: string[] = []
    for (const [index, line] of text.split('\n').entries()) {
      const content = line.trim()
      if (content === '' || content.startsWith('#')) continue
      const entry = readLine(content)
      if (typeof entry === 'string') faults.push(`line ${index + 1} ${entry}`)
      else if (entries.some(({ digest }) => digest.equals(entry.digest))) {
        faults.push(`line ${index + 1} has the token of an earlier line`)
      } else entries.push(entry)
    }
    // A file that is being written is empty for a moment: that must not lock out all callers.
    if (entries.length === 0 && faults.length === 0) faults.push('it has no token')
    if (faults.length > 0) throw new TokensError(faults)
    return new Tokens(entries)
  }

  get count(): number {
    return this.entries.length
  }

  equals(other: Tokens): boolean {
    return this.toString() === other.toString()
  }

  /** The lines, without comments. */
  toString(): string {
    return this.entries.map(({ name, role, digest }) => lineOf(name, role, digest)).join('\n')
  }

  /**
   * The owner of the token. Every entry is compared, each in constant time, so that the duration reveals neither whether one
   * matches nor which.
   */
  actorOf(token: string): Actor | null {
    const digest = digestOf(token)
    let found: Actor | null = null
    for (const entry of this.entries) if (timingSafeEqual(entry.digest, digest)) found = entry
    return found
  }
}

/** A new token, and its line of the tokens file. */
export function createToken(name: string, role: Role): { readonly token: string; readonly line: string } {
  if (!isName(name)) throw new TokensError([NAME_RULE])
  const token = `cmpd_${randomBytes(TOKEN_BYTES).toString('base64url')}`
  return { token, line: lineOf(name, role, digestOf(token)) }
}

export function isName(text: string): boolean {
  return NAME.test(text)
}

export const NAME_RULE = 'a name has up to 64 letters, digits and ._@- and begins with a letter or digit'

function readLine(line: string): Entry | string {
  const [name = '', role = '', digest = '', ...more] = line.split(/\s+/)
  if (digest === '' || more.length > 0) return 'is not of the form "name role sha256:<hex>"'
  if (!isName(name)) return `has a bad name: ${NAME_RULE}`
  if (!isRole(role)) return `has an unknown role: the roles are ${ROLES.join(', ')}`
  if (!DIGEST.test(digest)) return 'does not end in sha256: and 64 lower case hex digits'
  return { name, role, digest: Buffer.from(digest.slice('sha256:'.length), 'hex') }
}

function lineOf(name: string, role: Role, digest: Buffer): string {
  return `${name} ${role} sha256:${digest.toString('hex')}`
}

function digestOf(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}
