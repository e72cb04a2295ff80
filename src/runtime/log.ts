import { type Logger, pino } from 'pino'
import { GatheredLines } from './gathered-lines.ts'

const MIB = 1024 * 1024
/** Characters of lines that are written together: half of what a pipe takes at once. */
const GATHERED = 32_768
/** Milliseconds that a line waits for others at most. */
const GATHERING_MS = 50
/** Milliseconds that the last lines have to get out. */
const LAST_LINES = 500

export interface Log {
  readonly logger: Logger
  /** Ends the process once the last lines are out. */
  leave(code: number): Promise<never>
  /** Hands the last lines on, and gives them up if they are not taken at once: an exit would wait for them. */
  readonly abandon: () => void
}

/**
 * The log, on stdout. Lines leave together, after 50 ms at most. When the reader stops reading, the service drops lines: it
 * does not wait for the reader, fill its memory for it, or stay alive for it.
 */
export function openLog(level: string): Log {
  const output = pino.destination({
    sync: false,
    // With none, a flush would not wait until the lines are out.
    minLength: 1,
    maxWrite: GATHERED,
    maxLength: 16 * MIB,
  })
  const lines = new GatheredLines(output, { size: GATHERED, milliseconds: GATHERING_MS })
  const isFlushed = () =>
    new Promise<boolean>((resolve) => {
      setTimeout(resolve, LAST_LINES, false)
      lines.handOn()
      output.flush(() => {
        resolve(true)
      })
    })
  return {
    logger: pino({ level }, lines),
    leave: async (code) => {
      // At an exit pino waits for its lines, for ever if need be; and a process whose store is in doubt has to die.
      if (!(await isFlushed())) process.kill(process.pid, 'SIGKILL')
      lines.handOn()
      process.exit(code)
    },
    abandon: () => {
      lines.handOn()
      output.destroy()
    },
  }
}
