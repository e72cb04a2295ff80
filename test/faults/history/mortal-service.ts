import type { Service } from '../../support/service/service-process.js'
import type { Stage } from '../stage.js'

/** A process of the service that is killed at some time, and when that was. */
export class MortalService {
  /** On the clock of the operations; Infinity while it lives. */
  diedAt = Infinity
  private killed = false

  private constructor(private readonly service: Service) {
    void service.ended.then(() => (this.diedAt = performance.now()))
  }

  /** @param port 0 for any that is free */
  static async start(stage: Stage, port: string): Promise<MortalService> {
    return new MortalService(await stage.start({ environment: { CAMPAIGND_PORT: port } }))
  }

  get url(): string {
    return this.service.url
  }

  get port(): string {
    return new URL(this.url).port
  }

  /** Kills this very process, and waits until it is dead. */
  async kill(): Promise<void> {
    this.refuseIfDead()
    this.killed = true
    await this.service.end('SIGKILL')
  }

  /** @throws Error with the last line of its log when it ended by itself */
  refuseIfDead(): void {
    if (this.diedAt === Infinity || this.killed) return
    throw new Error(`the service ended by itself: ${JSON.stringify(this.service.log.at(-1))}`)
  }
}
