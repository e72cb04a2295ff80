import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { send } from '../http/client.js'
import { Scrape } from '../http/metrics.js'
import { until } from '../until.js'

export interface WaitingCall {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Connections that are opened at the same time. */
const OPENED_AT_ONCE = 256

/** Many calls of one kind that wait, each on a connection of its own. */
export class WaitingCalls {
  private readonly calls: ClientRequest[] = []
  private readonly agent = new Agent({ maxSockets: Infinity })

  private constructor(
    private readonly url: string,
    /** How many others wait. */
    private readonly before: number,
  ) {}

  /** Resolves when all of them wait. */
  static async open(url: string, call: WaitingCall, count: number): Promise<WaitingCalls> {
    const waiting = new WaitingCalls(url, await heldBy(url))
    for (let opened = OPENED_AT_ONCE; opened - OPENED_AT_ONCE < count; opened += OPENED_AT_ONCE) {
      const most = Math.min(opened, count)
      while (waiting.calls.length < most) waiting.add(call)
      await until('the calls wait', async () => (await heldBy(url)) - waiting.before >= most)
    }
    return waiting
  }

  /** Resolves when all of them are answered. @throws Error when one is not answered with 200 */
  async answered(): Promise<void> {
    await Promise.all(
      this.calls.map(async (call) => {
        const [response] = (await once(call, 'response')) as [IncomingMessage]
        response.resume()
        if (response.statusCode !== 200) throw new Error(`a call that waited was answered ${response.statusCode}`)
      }),
    )
    this.agent.destroy()
  }

  /** Leaves. Resolves when the service has noticed it. */
  async close(): Promise<void> {
    for (const call of this.calls) call.destroy()
    this.agent.destroy()
    await until('the calls are let go', async () => (await heldBy(this.url)) <= this.before)
  }

  private add({ method, path, headers = {}, body = '' }: WaitingCall): void {
    const ofBody = body === '' ? {} : { 'content-type': 'application/json', 'content-length': body.length }
    const call = request(this.url + path, { method, headers: { ...headers, ...ofBody }, agent: this.agent })
    call.on('error', () => undefined).end(body)
    this.calls.push(call)
  }
}

async function heldBy(url: string): Promise<number> {
  const { text } = await send('GET', `${url}/metrics`)
  return new Scrape(text).value('campaignd_long_lived_calls_open') ?? NaN
}
