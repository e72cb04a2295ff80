import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body read as JSON; whatever the test expects it to be. */
  json<T = Record<string, never>>(): T
}

/**
 * One call over a real connection. By `node:http`: `fetch` leaves so much behind that what many callers in one process
 * measure is its collection, 38 pauses of 8 ms in 25 s of 170 calls a second, in place of 12.
 */
export async function send(
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const json = body === undefined ? '' : JSON.stringify(body)
  const ofBody = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(json)) }
  const call = request(url, { method, headers: { ...(json === '' ? {} : ofBody), ...headers } })
  const answered = once(call, 'response')
  // What breaks once the answer has begun is told by its body.
  call.on('error', () => undefined).end(json)
  const [answer] = (await answered) as [IncomingMessage]
  const text = await textOf(answer)
  return {
    status: answer.statusCode ?? Number.NaN,
    headers: new Headers(
      Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
    ),
    text,
    json: <T>() => JSON.parse(text) as T,
  }
}

/** A running experiment that a writer of its own reports on, with a number that only grows. */
export class Writer {
  /** The last number that was answered with 2xx, and the revision that it got. */
  acknowledged = 0
  revision = 0
  /** The last number that was sent. */
  sent = 0

  constructor(
    readonly campaign: string,
    readonly expId: string,
  ) {}

  path(): string {
    return `/v1/campaigns/${this.campaign}/experiments/${this.expId}`
  }

  /** Reports the next number. Rejects when the connection breaks. */
  async report(url: string): Promise<Reply> {
    this.sent += 1
    const body = { status: 'running', worker: this.expId, result_path: String(this.sent) }
    const reply = await send('PATCH', url + this.path(), body)
    if (reply.status === 200) {
      this.acknowledged = this.sent
      this.revision = reply.json<{ revision: number }>().revision
    }
    return reply
  }

  /** Reports on and on until `isOver`, or until the connection breaks; returns the answers that were no 200. */
  async run(url: string, isOver: () => boolean): Promise<(Reply | Error)[]> {
    const others: (Reply | Error)[] = []
    while (!isOver()) {
      const reply = await this.report(url).catch((error: unknown) => error as Error)
      if (reply instanceof Error) return [...others, reply]
      if (reply.status !== 200) {
        others.push(reply)
        await sleep(5)
      }
    }
    return others
  }
}

/** Writers on the first experiments of each campaign. */
export function writersOn(campaigns: readonly string[], count: number): Writer[] {
  return Array.from({ length: count }, (_, index) => {
    const campaign = campaigns[index % campaigns.length] ?? ''
    return new Writer(campaign, String(Math.floor(index / campaigns.length) + 1).padStart(4, '0'))
  })
}

export interface StoredManifest {
  readonly campaign_id: string
  readonly revision: number
  readonly experiments: readonly {
    readonly exp_id: string
    readonly revision: number
    readonly result_path: string | null
    readonly status: string
    readonly worker: string | null
  }[]
}
