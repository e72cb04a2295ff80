import { type Logger, pino } from 'pino'
import { LineBatch } from './line-batch.ts'

const MIB = 1024 * 1024
/** Characters of lines that are written together: half of what a pipe accepts at once. */
const BATCH_SIZE = 32_768
/** Milliseconds that a line waits for others at most. */
const BATCH_MS = 50
/** Milliseconds in which the last lines must be written. */
const LAST_LINES = 500

export interface Log {
  readonly logger: Logger
  /** Ends the process once the last lines are written. */
  leave(code: number): Promise<never>
  /** Writes the last lines, and drops them if the reader does not read at once: an exit would wait for them. */
  readonly abandon: () => void
}

/**
 * The log, on stdout. Lines are written together, after 50 ms at most. When the reader stops reading, the service drops lines:
 * it neither waits nor fills its memory for the reader.
 */
export function openLog(level: string): Log {
  const output = pino.destination({
    sync: false,
    // With none, a flush would not wait until the lines are written.
    minLength: 1,
    maxWrite: BATCH_SIZE,
    maxLength: 16 * MIB,
  })
  const lines = new LineBatch(output, { size: BATCH_SIZE, milliseconds: BATCH_MS })
  const isFlushed = () =>
    new Promise<boolean>((resolve) => {
      setTimeout(resolve, LAST_LINES, false)
      lines.flush()
      output.flush(() => resolve(true))
    })
  return {
    logger: pino({ level }, lines),
    leave: async (code) => {
      // At an exit pino would wait for its lines without end, and a process whose store is in doubt must end.
      if (!(await isFlushed())) process.kill(process.pid, 'SIGKILL')
      lines.flush()
      process.exit(code)
    },
    abandon: () => {
      lines.flush()
      output.destroy()
    },
  }
}
