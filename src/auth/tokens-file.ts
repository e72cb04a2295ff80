import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { Tokens, TokensError } from './tokens.ts'

const OTHERS = 0o007
const MAX_SIZE = 1024 * 1024

/**
 * Reads the tokens file.
 * @throws TokensError when it cannot be read, when others than its owner and its group may use it, and at a bad line
 */
export function readTokensFile(path: string): Tokens {
  return Tokens.parse(readGuarded(path))
}

/** Checked and read through one descriptor, so that the file that is checked is the file that is read. */
function readGuarded(path: string): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    const stat = fstatSync(descriptor)
    if (!stat.isFile()) throw new TokensError(['it is not a regular file'])
    if ((stat.mode & OTHERS) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(4, '0')
      throw new TokensError([`its mode is ${mode}, so others can use it: make it 0600 or 0640`])
    }
    if (stat.size > MAX_SIZE) throw new TokensError(['it is larger than 1 MiB'])
    return readFileSync(descriptor, 'utf8')
  } catch (error) {
    if (error instanceof TokensError) throw error
    throw new TokensError([`it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`])
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
