import { send, type Reply } from '../support/client.js'

/** What is wrong with how a held request ended; null when nothing is. */
export type HeldEnd = string | null

/** A kind of request that the service holds open for longer than a run takes, until it stops. */
interface HeldKind {
  readonly name: string
  /** How many of all held requests are of this kind. */
  readonly share: number
  hold(target: HeldTarget): Promise<HeldEnd>
}

/** What there is to ask for. */
interface HeldTarget {
  readonly url: string
  /** A campaign that nobody changes, with the ETag of its progress. */
  readonly quiet: string
  readonly tag: string
  /** A campaign that is changed all the time and does not end. */
  readonly busy: string
}

const KINDS: readonly HeldKind[] = [
  {
    name: 'a poll for a change',
    share: 0.75,
    hold: ({ url, quiet, tag }) =>
      endOf(304, send('GET', progressOf(url, quiet, 'wait=60'), undefined, { 'if-none-match': tag })),
  },
  {
    name: 'a poll for the end',
    share: 0.25,
    hold: ({ url, busy }) => endOf(200, send('GET', progressOf(url, busy, 'wait=60&until=end'))),
  },
]

/** Requests that are held. */
export interface HeldRequests {
  /** How each ends, in no order. */
  readonly ends: readonly Promise<HeldEnd>[]
  /** How many have ended so far. */
  ended(): number
}

/** Opens so many, of all kinds. */
export async function holdRequests(
  count: number,
  url: string,
  campaigns: { readonly quiet: string; readonly busy: string },
): Promise<HeldRequests> {
  const tag = (await send('GET', progressOf(url, campaigns.quiet))).headers.get('etag')
  if (tag === null) throw new Error('the progress has no ETag')
  let ended = 0
  const ends = KINDS.flatMap(({ name, share, hold }) =>
    Array.from({ length: count * share }, async () => {
      const end = await hold({ url, tag, ...campaigns })
      ended += 1
      return end === null ? null : `${name} ${end}`
    }),
  )
  return { ends, ended: () => ended }
}

async function endOf(status: number, call: Promise<Reply>): Promise<HeldEnd> {
  const reply = await call.catch((error: unknown) => error as Error)
  if (reply instanceof Error) return `broke: ${reply.message}`
  return reply.status === status ? null : `was answered ${reply.status} instead of ${status}: ${reply.text}`
}

function progressOf(url: string, campaign: string, query = ''): string {
  return `${url}/v1/campaigns/${campaign}/progress?${query}`
}
