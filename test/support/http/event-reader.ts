import { EventEmitter, once } from 'node:events'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { Progress } from '#campaignd/domain/views/progress.js'
import { TIME_LIMIT } from '../time-limit.js'

export interface StreamedEvent {
  readonly event: string
  readonly id: string | null
  readonly data: {
    readonly campaign_id?: string
    readonly revision?: number
    readonly previous_revision?: number
    readonly created_at?: string
    readonly reset?: boolean
    readonly part?: number
    readonly parts?: number
    readonly progress?: Progress
    readonly experiments?: readonly Experiment[]
  }
  /** When it was received, by the monotonic clock of this process. */
  readonly at: number
}

/** A reader of Server-Sent Events over a connection of its own. */
export class EventReader {
  readonly events: StreamedEvent[] = []
  /** What was no event: comments, and hints when to reconnect. */
  readonly others: string[] = []
  status = 0
  contentType = ''
  ended = false
  /** The service ended the stream; false when the connection broke. */
  complete = false
  private readonly changes = new EventEmitter()
  private readonly request: ClientRequest
  private response: IncomingMessage | null = null

  constructor(url: string, lastEventId?: string) {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    const parser = createParser({
      onEvent: ({ event = '', id = null, data }) => {
        this.events.push({ event, id, data: JSON.parse(data) as StreamedEvent['data'], at: performance.now() })
      },
      onComment: (comment) => this.others.push(comment),
      onRetry: (milliseconds) => this.others.push(`retry: ${milliseconds}`),
    })
    this.request = get(url, { headers, agent: false }, (response) => {
      this.response = response
      this.status = response.statusCode ?? 0
      this.contentType = response.headers['content-type'] ?? ''
      response.setEncoding('utf8').on('data', (text: string) => {
        parser.feed(text)
        this.changes.emit('change')
      })
      response
        .on('error', () => undefined)
        .on('close', () => {
          this.complete = response.complete
          this.end()
        })
      this.changes.emit('change')
    })
    this.request.on('error', this.end)
  }

  /** Reads no more, without closing: what a stalled client does. */
  stall(): void {
    this.response?.pause()
  }

  /** Reads again. */
  resume(): void {
    this.response?.resume()
  }

  close(): void {
    this.request.destroy()
  }

  /** Resolves once it holds; rejects when it does not within the time limit. */
  async until(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + TIME_LIMIT
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`in vain: ${JSON.stringify(this.events).slice(0, 2000)}`)
      await once(this.changes, 'change', { signal: AbortSignal.timeout(1000) }).catch(() => undefined)
    }
  }

  async count(events: number): Promise<readonly StreamedEvent[]> {
    await this.until(() => this.events.length >= events)
    return this.events
  }

  private readonly end = (): void => {
    this.ended = true
    this.changes.emit('change')
  }
}

/** The revision in the id of an event. */
export function revisionOf(id: string): number {
  return Number(id.slice(id.indexOf('-') + 1))
}

/**
 * What is wrong with the events of one campaign as one reader got them: each must follow on the one before.
 * @param newest the revision that the last one must have
 */
export function faultsOfStream(events: readonly StreamedEvent[], newest?: number): string[] {
  const faults: string[] = []
  let revision: number | null = null
  let part = 0
  for (const { event, id, data } of events) {
    // Cut off between two parts, a reader begins with the first again.
    if (data.part !== undefined && data.part !== part + 1 && data.part !== 1) {
      faults.push(`part ${data.part} of ${data.revision} came behind ${part}`)
    }
    part = data.part === data.parts ? 0 : (data.part ?? 0)
    if ((id === null) !== part > 0 && event === 'change') faults.push(`part ${part} of ${data.revision}: id ${id}`)
    if (event === 'change' && revision !== null && data.previous_revision !== revision) {
      faults.push(`${data.revision} follows on ${data.previous_revision}, but came behind ${revision}`)
    }
    if (id !== null && !/^[0-9a-f]{16}-\d+$/.test(id)) faults.push(`the id ${id} is not a version`)
    if (id !== null && revisionOf(id) !== data.revision) faults.push(`${data.revision} has the id ${id}`)
    if (part === 0) revision = data.revision ?? revision
  }
  if (newest !== undefined && revision !== newest) faults.push(`the last was ${revision}, not ${newest}`)
  return faults
}
