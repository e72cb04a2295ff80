import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Stage } from '../stage.js'

const SCRIPT = fileURLToPath(new URL('./worker.mjs', import.meta.url))

interface Attempt {
  readonly exp_id: string
  readonly attempt: number
}

interface Refusal {
  readonly http: number
  readonly code: string | null
}

/** What a worker was answered. `stopped`: a heartbeat was refused, so it ended its work. */
export type WorkerNews =
  | ({ readonly event: 'claimed'; readonly work_ms: number } & Attempt)
  | ({
      readonly event: 'reported'
      readonly status: 'completed' | 'failed'
      readonly result_path: string | null
    } & Attempt &
      Refusal)
  | ({ readonly event: 'stopped' } & Attempt & Refusal)
  | ({ readonly event: 'confused'; readonly by: string } & Refusal)

export interface Held extends Attempt {
  /** When the work on it will be over, on the monotonic clock. */
  readonly workedUntil: number
}

export type FleetMember = ReturnType<typeof startWorker>

export interface WorkerOptions {
  /** Milliseconds that it works on one experiment at most; 0: it ends each at once. */
  readonly longest: number
  /** The share of its runs that fail. */
  readonly failing: number
  readonly onNews: (news: WorkerNews) => void
}

export function startWorker(stage: Stage, campaign: string, name: string, { longest, failing, onNews }: WorkerOptions) {
  const child = stage.keep(
    spawn(process.execPath, [SCRIPT, campaign, name, String(longest), String(failing)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  let held: Held | null = null
  createInterface({ input: child.stdout }).on('line', (line) => {
    const news = JSON.parse(line) as WorkerNews
    held = news.event === 'claimed' ? { ...news, workedUntil: performance.now() + news.work_ms } : null
    onNews(news)
  })
  let lives = true
  const ended = once(child, 'close').then(([code]) => {
    lives = false
    return code as number | null
  })
  return {
    name,
    held: (): Held | null => held,
    lives: () => lives,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    kill: async () => {
      lives = false
      child.kill('SIGKILL')
      await ended
    },
    /** Resolves with the exit code once its output was read; null when a signal ended it. */
    ended,
  }
}
