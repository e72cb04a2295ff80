import { resolve } from 'node:path'
import { type Tokens, TokensError } from '../auth/tokens.ts'
import { readTokensFile } from '../auth/tokens-file.ts'
import { Fault } from './fault.ts'

export interface TokensSetting {
  readonly file: string
  /** As the file has them at the start. */
  readonly tokens: Tokens
}

/** The tokens of a file, null when no file is named. */
export function readTokens(path: string): TokensSetting | null {
  if (path === '') return null
  const file = resolve(path)
  try {
    return { file, tokens: readTokensFile(file) }
  } catch (error) {
    if (error instanceof TokensError) throw new Fault(`is ${file}: ${error.message}`)
    throw error
  }
}
