import { type Tokens, TokensError } from './tokens.ts'
import { readTokensFile } from './tokens-file.ts'

export interface TokenWatchOptions {
  readonly file: string
  readonly tokens: Tokens
  readonly onChange: (count: number) => void
  /** The file cannot be used: the tokens that were read last stay valid. */
  readonly onError: (reason: string) => void
}

/**
 * Milliseconds between two reads. The few lines are read each time: a Kubernetes secret changes by a symlink two levels up, which
 * neither a notification for the file nor its times report reliably.
 */
const INTERVAL = 2000

/** The current tokens of a file that may change. */
export class TokenWatch {
  private tokens: Tokens
  private reported: string | null = null

  constructor(private readonly options: TokenWatchOptions) {
    this.tokens = options.tokens
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
      const tokens = readTokensFile(this.options.file)
      this.reported = null
      if (tokens.equals(this.tokens)) return 'same'
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
}
