import { setTimeout as sleep } from 'node:timers/promises'
import { send } from '../../support/http/client.js'
import type { Service as Process } from '../../support/service/service-process.js'
import type { Stage } from '../stage.js'
import type { Call, Reply, Service } from './service.js'

/** Milliseconds within which a call is killed: some before it is read, some after it is answered. */
const LONGEST_CALL = 12

/** The service as it ships, in a process of its own, by the real clocks. It never ends but by SIGKILL. */
export class ProcessService implements Service {
  readonly isTimed = false
  now = ''
  kills = 0

  private constructor(
    private readonly stage: Stage,
    private process: Process,
  ) {}

  static async open(stage: Stage): Promise<ProcessService> {
    return new ProcessService(stage, await stage.start())
  }

  get dataDir(): string {
    return this.stage.dataDir
  }

  async call({ method, path, body, headers }: Call): Promise<Reply> {
    const reply = await send(method, `${this.process.url}${path}`, body, headers)
    return { status: reply.status, headers: Object.fromEntries(reply.headers), text: reply.text }
  }

  async restart(): Promise<void> {
    await this.process.end('SIGKILL')
    this.kills += 1
    this.process = await this.stage.start()
  }

  /** Is killed while it has this call to answer, or just before or after. */
  async restartDuring(call: Call): Promise<void> {
    const answer = this.call(call).catch(() => null)
    await sleep(Math.random() * LONGEST_CALL)
    await this.restart()
    await answer
  }

  pass(milliseconds: number): Promise<void> {
    return sleep(milliseconds)
  }

  /** It does so by itself. */
  sweep(): Promise<void> {
    return Promise.resolve()
  }

  async close(): Promise<void> {
    await this.process.end('SIGKILL')
  }
}
