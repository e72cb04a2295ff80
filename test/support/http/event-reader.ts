import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { Progress } from '#campaignd/domain/views/progress.js'
import { PATIENCE } from '../patience.js'

export interface StreamedEvent {
  readonly event: string
  readonly id: string | null
  readonly data: {
    readonly campaign_id?: string
    readonly revision?: number
    readonly previous_revision?: number
    readonly created_at?: string
    readonly reset?: boolean
    readonly progress?: Progress
    readonly experiments?: readonly Experiment[]
  }
  /** By the clock of this process, when it came. */
  readonly at: number
}

/** A reader of Server-Sent Events over a connection of its own. */
export class EventReader {
  readonly events: StreamedEvent[] = []
  /** Lines that were no event: comments, and hints when to come back. */
  readonly others: string[] = []
  status = 0
  contentType = ''
  ended = false
  private rest = ''
  private readonly hearers = new Set<() => void>()
  private readonly request: ClientRequest
  private response: IncomingMessage | null = null

  constructor(url: string, lastEventId?: string) {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    this.request = get(url, { headers, agent: false }, (response) => {
      this.response = response
      this.status = response.statusCode ?? 0
      this.contentType = response.headers['content-type'] ?? ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        this.take(text)
      })
      response.on('error', () => undefined)
      response.on('close', () => {
        this.ended = true
        this.wake()
      })
      this.wake()
    })
    this.request.on('error', () => {
      this.ended = true
      this.wake()
    })
  }

  /** Reads no more, without closing: what a stalled client does. */
  stall(): void {
    this.response?.pause()
  }

  close(): void {
    this.request.destroy()
  }

  /** Resolves once it holds; rejects when it does not for too long. */
  async until(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`in vain: ${JSON.stringify(this.events).slice(0, 2000)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000)
        this.hearers.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  async count(events: number): Promise<readonly StreamedEvent[]> {
    await this.until(() => this.events.length >= events)
    return this.events
  }

  private take(text: string): void {
    const at = performance.now()
    const blocks = (this.rest + text).split('\n\n')
    this.rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line): [string, string] => [line.split(':')[0] ?? '', valueOf(line)]),
      )
      const event = fields.get('event')
      if (event === undefined) this.others.push(block)
      else {
        const data = JSON.parse(fields.get('data') ?? 'null') as StreamedEvent['data']
        this.events.push({ event, id: fields.get('id') ?? null, data, at })
      }
    }
    this.wake()
  }

  private wake(): void {
    for (const hear of [...this.hearers]) hear()
    this.hearers.clear()
  }
}

function valueOf(line: string): string {
  return line.slice(line.indexOf(':') + 1).trimStart()
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
  for (const { event, id, data } of events) {
    if (event === 'change' && revision !== null && data.previous_revision !== revision) {
      faults.push(`${data.revision} follows on ${data.previous_revision}, but came behind ${revision}`)
    }
    if (id !== null && !/^[0-9a-f]{16}-\d+$/.test(id)) faults.push(`the id ${id} is not a version`)
    if (id !== null && revisionOf(id) !== data.revision) faults.push(`${data.revision} has the id ${id}`)
    revision = data.revision ?? revision
  }
  if (newest !== undefined && revision !== newest) faults.push(`the last was ${revision}, not ${newest}`)
  return faults
}
