import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill } from '../support/service/child-process.js'
import { listening, type Service, type ServiceOptions, spawnService } from '../support/service/service-process.js'

const ERROR = 50

export class Stage {
  readonly root: string
  /** For the service to make. */
  readonly dataDir: string
  private readonly children: ChildProcess[] = []
  private cleared = false

  constructor(name: string) {
    this.root = mkdtempSync(join(tmpdir(), `campaignd-${name}-`))
    this.dataDir = join(this.root, 'data')
  }

  /** Starts the service on the data directory, and waits until it listens. */
  start(options: Partial<ServiceOptions> = {}): Promise<Service> {
    if (this.cleared) return Promise.reject(new Error('the run is over'))
    const child = this.keep(spawnService({ dataDir: this.dataDir, ...options }))
    return listening(child, options.dataDir ?? this.dataDir)
  }

  /** Has a process ended with the run, if it has not ended before. */
  keep<T extends ChildProcess>(child: T): T {
    this.children.push(child)
    if (this.cleared) child.kill('SIGKILL')
    return child
  }

  /** Ends what still runs and removes the directory. */
  async clear(): Promise<void> {
    this.cleared = true
    await Promise.all(this.children.map(kill))
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** Ends a service as an operator does; returns what is wrong with that. */
export async function endInOrder(service: Service): Promise<string[]> {
  const code = await service.end('SIGTERM')
  return code === 0 ? [] : [`the service ended with ${code}`]
}

/** What a service that is only attacked must not log. */
export function loggedErrors({ log }: Service): string[] {
  const errors = log.filter(({ level }) => Number(level) >= ERROR)
  return errors.map((line) => `logged as an error: ${JSON.stringify(line)}`)
}
