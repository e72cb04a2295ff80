import type { FastifyBaseLogger } from 'fastify'
import type { Bindings, ChildLoggerOptions, LogFn, Logger } from 'pino'

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

/**
 * A child of a logger that is made when it first has something to write. Fastify wants one for each request, most of which
 * write nothing at the levels that are on, and to make one took a tenth of a heartbeat.
 */
class LateLogger implements FastifyBaseLogger {
  declare readonly fatal: LogFn
  declare readonly error: LogFn
  declare readonly warn: LogFn
  declare readonly info: LogFn
  declare readonly debug: LogFn
  declare readonly trace: LogFn
  private made: Logger | null = null

  constructor(
    readonly parent: Logger,
    private readonly bindings: Bindings,
    private readonly options: ChildLoggerOptions,
  ) {}

  /** The child itself. */
  get own(): Logger {
    this.made ??= this.parent.child(this.bindings, this.options)
    return this.made
  }

  get level(): string {
    return this.parent.level
  }

  silent(): void {
    // As pino has it.
  }

  child(bindings: Bindings, options?: ChildLoggerOptions): Logger {
    return this.own.child(bindings, options)
  }
}

for (const level of LEVELS) {
  Object.defineProperty(LateLogger.prototype, level, {
    value(this: LateLogger, ...line: Parameters<LogFn>): void {
      if (this.parent.isLevelEnabled(level)) this.own[level](...line)
    },
  })
}

/** A child of the logger with the bindings; at once when it has a level of its own. */
export function lateChild(logger: Logger, bindings: Bindings, options: ChildLoggerOptions): FastifyBaseLogger {
  return options.level === undefined ? new LateLogger(logger, bindings, options) : logger.child(bindings, options)
}
