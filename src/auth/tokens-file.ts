import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { Tokens, TokensError } from './tokens.ts'

/** Modes by which others than the owner could change the file, or others than owner and group read it. */
const TOO_OPEN = 0o027
const MAX_SIZE = 1024 * 1024

/** The tokens of a file, with its bytes: those tell whether it has changed. */
export interface TokensOfFile {
  readonly bytes: Buffer
  readonly tokens: Tokens
}

/**
 * Reads the tokens file.
 * @throws TokensError when it cannot be read, when others than its owner may change it or others than its group read it, and
 *   at a bad line
 */
export function readTokensFile(path: string): TokensOfFile {
  const bytes = readTokensBytes(path)
  return { bytes, tokens: Tokens.parse(bytes.toString()) }
}

/**
 * Reads it without looking at its lines. Checked and read through one descriptor, so that the file that is checked is the file
 * that is read.
 * @throws TokensError
 */
export function readTokensBytes(path: string): Buffer {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw new TokensError(['it is not a regular file'])
    if ((stat.mode & TOO_OPEN) !== 0) throw new TokensError([tooOpen(stat.mode)])
    if (stat.size > MAX_SIZE) throw new TokensError(['it is larger than 1 MiB'])
    return readFileSync(descriptor)
  } catch (error) {
    if (error instanceof TokensError) throw error
    throw new TokensError([`it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`])
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function tooOpen(mode: number): string {
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  const whoCan = (mode & 0o007) === 0 ? 'its group can change it' : 'others can use it'
  return `its mode is ${octal}, so ${whoCan}: make it 0600 or 0640`
}
