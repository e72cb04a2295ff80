import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body read as JSON, unchecked. */
  json<T = Record<string, never>>(): T
}

/** One call over a real connection. By `node:http`: with `fetch` many callers in one process measure its garbage collection. */
export async function send(
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const json = body === undefined ? '' : JSON.stringify(body)
  const ofBody = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(json)) }
  const call = request(url, { method, headers: { ...(json === '' ? {} : ofBody), ...headers } })
  const responded = once(call, 'response')
  // A connection that breaks after the head of the response rejects the read of its body.
  call.on('error', () => undefined).end(json)
  const [response] = (await responded) as [IncomingMessage]
  const text = await textOf(response)
  return {
    status: response.statusCode ?? Number.NaN,
    headers: new Headers(response.headers as Record<string, string>),
    text,
    json: <T>() => JSON.parse(text) as T,
  }
}

/** Reports on one running experiment, with a number that only grows. */
export class Writer {
  /** The last number that was acknowledged, and its revision. */
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

  /** Reports until `isOver`, or until the connection breaks; returns the replies that were no 200. */
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
