import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Stage } from '../stage.js'

const SCRIPT = fileURLToPath(new URL('./worker.mjs', import.meta.url))

/** What a worker was answered, as it tells it. */
export type WorkerNews =
  | { readonly event: 'claimed'; readonly exp_id: string; readonly attempt: number; readonly work_ms: number }
  | {
      readonly event: 'reported'
      readonly exp_id: string
      readonly attempt: number
      readonly status: 'completed' | 'failed'
      readonly result_path: string | null
      readonly http: number
      readonly code: string | null
    }
  /** A heartbeat was refused, so it left off. */
  | {
      readonly event: 'stopped'
      readonly exp_id: string
      readonly attempt: number
      readonly http: number
      readonly code: string | null
    }
  | { readonly event: 'confused'; readonly by: string; readonly http: number; readonly code: string | null }

/** An attempt that a worker works on. */
export interface Held {
  readonly exp_id: string
  readonly attempt: number
  /** When the work on it will be over, on the monotonic clock. */
  readonly workedUntil: number
}

/** A process of the fleet. */
export interface FleetMember {
  readonly name: string
  /** What it works on, as far as it has told. */
  held(): Held | null
  /** True until it was killed or ended by itself. */
  lives(): boolean
  freeze(): void
  thaw(): void
  kill(): Promise<void>
  /** Resolves with the exit code once all that it told was read; null when a signal ended it. */
  readonly ended: Promise<number | null>
}

/**
 * Starts a worker on a campaign.
 * @param longest milliseconds that it works on one experiment at most
 */
export function hire(
  stage: Stage,
  campaign: string,
  name: string,
  longest: number,
  onNews: (news: WorkerNews) => void,
): FleetMember {
  const child = stage.keep(
    spawn(process.execPath, [SCRIPT, campaign, name, String(longest)], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  let held: Held | null = null
  createInterface({ input: child.stdout }).on('line', (line) => {
    const news = JSON.parse(line) as WorkerNews
    if (news.event === 'claimed') {
      held = { exp_id: news.exp_id, attempt: news.attempt, workedUntil: performance.now() + news.work_ms }
    } else held = null
    onNews(news)
  })
  let lives = true
  const ended = once(child, 'close').then(([code]) => {
    lives = false
    return code as number | null
  })
  return {
    name,
    held: () => held,
    lives: () => lives,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    kill: async () => {
      lives = false
      child.kill('SIGKILL')
      await ended
    },
    ended,
  }
}
