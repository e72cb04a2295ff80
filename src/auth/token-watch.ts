import { Tokens, TokensError } from './tokens.ts'
import { readTokensBytes, type TokensOfFile } from './tokens-file.ts'

export interface TokenWatchOptions {
  readonly file: string
  /** What it holds at the start. */
  readonly content: TokensOfFile
  readonly onChange: (count: number) => void
  /** The file cannot be used: the tokens that were read last stay valid. */
  readonly onError: (reason: string) => void
}

/**
 * Milliseconds between two reads: a token that is taken out must have ended what it opened within a second. The bytes are read
 * each time, and parsed when they are others: a Kubernetes secret changes by a symlink two levels up, which neither a
 * notification for the file nor its times report reliably.
 */
const INTERVAL = 400

/** The current tokens of a file that may change. */
export class TokenWatch {
  private tokens: Tokens
  private bytes: Buffer
  /** What the bytes hold. */
  private parsed: Tokens | TokensError
  private reported: string | null = null

  constructor(private readonly options: TokenWatchOptions) {
    this.bytes = options.content.bytes
    this.tokens = this.parsed = options.content.tokens
    setInterval(() => this.read(), INTERVAL).unref()
  }

  get current(): Tokens {
    return this.tokens
  }

  /** Reads the file at once, and reports the result even if nothing changed. */
  reload(): void {
    this.reported = null
    if (this.read() === 'same') this.options.onChange(this.tokens.count)
  }

  private read(): 'same' | 'changed' | 'bad' {
    try {
      const tokens = this.readTokens()
      this.reported = null
      if (tokens === this.tokens) return 'same'
      this.tokens = tokens
      this.options.onChange(tokens.count)
      return 'changed'
    } catch (error) {
      if (!(error instanceof TokensError)) throw error
      // Each reason is reported once.
      if (error.message !== this.reported) this.options.onError(error.message)
      this.reported = error.message
      return 'bad'
    }
  }

  /** @throws TokensError */
  private readTokens(): Tokens {
    const bytes = readTokensBytes(this.options.file)
    if (!bytes.equals(this.bytes)) {
      this.bytes = bytes
      this.parsed = parse(bytes)
    }
    if (this.parsed instanceof TokensError) throw this.parsed
    return this.parsed
  }
}

function parse(bytes: Buffer): Tokens | TokensError {
  try {
    return Tokens.parse(bytes.toString())
  } catch (error) {
    if (error instanceof TokensError) return error
    throw error
  }
}
