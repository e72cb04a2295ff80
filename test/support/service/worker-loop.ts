import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

export interface WorkerLoop {
  readonly program: string
  readonly code: string
}

/** Runs a loop of a README; resolves with its exit code. It ends with the test, and so does what it started. */
export async function runWorker(
  { program, code }: WorkerLoop,
  environment: Readonly<Record<'api' | 'campaign' | 'worker' | 'run', string>>,
  cwd?: string,
): Promise<number | null> {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, ...environment }
  const child = spawn(program, ['-c', code], { detached: true, stdio: ['ignore', 'ignore', 'inherit'], cwd, env })
  onTestFinished(() => {
    if (child.pid !== undefined) spawnSync('kill', ['-KILL', '--', `-${child.pid}`], { stdio: 'ignore' })
  })
  const [status] = (await once(child, 'exit')) as [number | null]
  return status
}
