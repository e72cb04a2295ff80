import { type Reply, send } from '../../support/http/client.js'
import { caught } from '../replies.js'

/** What is wrong with how a held request ended; null when nothing is. */
type HeldEnd = string | null

interface HeldKind {
  readonly name: string
  /** How many of all held requests are of this kind. */
  readonly share: number
  hold(target: HeldTarget): Promise<HeldEnd>
}

/** Where requests are held; the campaigns by their URLs. */
interface HeldTarget {
  /** A campaign that does not change and that hands out nothing, with the ETag of its progress. */
  readonly quiet: string
  readonly tag: string
  /** A campaign that is changed all the time and does not end. */
  readonly busy: string
  readonly events: string
}

const KINDS: readonly HeldKind[] = [
  {
    name: 'a poll for a change',
    share: 0.2,
    hold: ({ quiet, tag }) => endOf(304, send('GET', `${quiet}/progress?wait=60`, undefined, { 'if-none-match': tag })),
  },
  {
    name: 'a claim that waits',
    share: 0.1,
    hold: ({ quiet }) => endOf(200, send('POST', `${quiet}/claims`, { worker: 'w', wait_seconds: 60 })),
  },
  {
    name: 'a poll for the end',
    share: 0.1,
    hold: ({ busy }) => endOf(200, send('GET', `${busy}/progress?wait=60&until=end`)),
  },
  { name: 'a stream of a campaign that changes', share: 0.3, hold: ({ busy }) => endOfStream(`${busy}/events`) },
  { name: 'a stream of one that does not', share: 0.2, hold: ({ quiet }) => endOfStream(`${quiet}/events`) },
  { name: 'a stream of all', share: 0.1, hold: ({ events }) => endOfStream(events) },
]

export async function holdRequests(
  count: number,
  url: string,
  campaigns: { readonly quiet: string; readonly busy: string },
): Promise<{ readonly ends: readonly Promise<HeldEnd>[]; ended(): number }> {
  const [quiet, busy] = [`${url}/v1/campaigns/${campaigns.quiet}`, `${url}/v1/campaigns/${campaigns.busy}`]
  const tag = (await send('GET', `${quiet}/progress`)).headers.get('etag')
  if (tag === null) throw new Error('the progress has no ETag')
  let ended = 0
  const ends = KINDS.flatMap(({ name, share, hold }) =>
    Array.from({ length: count * share }, async () => {
      const end = await hold({ quiet, tag, busy, events: `${url}/v1/events` })
      ended += 1
      return end === null ? null : `${name} ${end}`
    }),
  )
  return { ends, ended: () => ended }
}

async function endOf(status: number, call: Promise<Reply>): Promise<HeldEnd> {
  const reply = await caught(call)
  if (reply instanceof Error) return `broke: ${reply.message}`
  return reply.status === status ? null : `was answered ${reply.status} instead of ${status}: ${reply.text}`
}

/** It must say when to reconnect, after a snapshot and every change since. */
async function endOfStream(url: string): Promise<HeldEnd> {
  const reply = await caught(send('GET', url))
  if (reply instanceof Error) return `broke: ${reply.message}`
  if (reply.status !== 200) return `was answered ${reply.status}: ${reply.text}`
  if (!/\n\nretry: \d+\n\n$/.test(reply.text)) return `ended with ${JSON.stringify(reply.text.slice(-100))}`
  const ids = [...reply.text.matchAll(/^id: [0-9a-f]{16}-(\d+)$/gm)].map(([, id]) => id)
  const previous = [...reply.text.matchAll(/"previous_revision":(\d+),"progress":/g)].map(([, revision]) => revision)
  const isLinked = ids.length === previous.length + 1 && previous.every((revision, index) => revision === ids[index])
  return isLinked || url.endsWith('/v1/events') ? null : 'left out a change or sent one twice'
}
