import { readTokensFile } from './tokens-file.ts'
import { TokensError, type Tokens } from './tokens.ts'

export interface TokenWatchOptions {
  readonly file: string
  readonly tokens: Tokens
  readonly onChange: (count: number) => void
  /** The file cannot be used: what was known before still holds. */
  readonly onError: (reason: string) => void
}

/**
 * Milliseconds between two looks. The few lines are read each time: a Kubernetes secret changes by a symlink two levels up,
 * of which neither a notification for the file nor its times tell reliably.
 */
const INTERVAL = 2000

/** The tokens as the file has them now. */
export class TokenWatch {
  private tokens: Tokens
  private complaint: string | null = null

  constructor(private readonly options: TokenWatchOptions) {
    this.tokens = options.tokens
    setInterval(() => this.look(), INTERVAL).unref()
  }

  get current(): Tokens {
    return this.tokens
  }

  /** Reads the file at once, and tells what came of it even if that is nothing new. */
  reload(): void {
    this.complaint = null
    if (this.look() === 'same') this.options.onChange(this.tokens.count)
  }

  private look(): 'same' | 'changed' | 'bad' {
    try {
      const tokens = readTokensFile(this.options.file)
      this.complaint = null
      if (tokens.equals(this.tokens)) return 'same'
      this.tokens = tokens
      this.options.onChange(tokens.count)
      return 'changed'
    } catch (error) {
      if (!(error instanceof TokensError)) throw error
      // Once is enough for as long as it stays so.
      if (error.message !== this.complaint) this.options.onError(error.message)
      this.complaint = error.message
      return 'bad'
    }
  }
}
