import { createParser } from 'eventsource-parser'
import { apiUrl, request } from './client.ts'

export interface StreamEvent {
  readonly event: string
  readonly id: string | null
  readonly data: unknown
}

export interface StreamListener {
  /** The response has begun. */
  onOpen(): void
  onEvent(event: StreamEvent): void
  /** Bytes came, if only a comment: what is shown is current. */
  onActivity(): void
  /** The service set the delay before a reconnect, in milliseconds. */
  onRetry(milliseconds: number): void
}

/** Milliseconds without a byte after which a stream counts as broken: well above the service's own comments. */
const IDLE_TIMEOUT = 40_000

/**
 * Reads Server-Sent Events until the service ends them. EventSource could not send a token.
 * @throws ApiProblem when it is refused; whatever fetch throws when it breaks
 */
export async function readEventStream(
  path: string,
  lastEventId: string | null,
  listener: StreamListener,
  signal: AbortSignal,
): Promise<void> {
  const idle = new AbortController()
  let timer = setTimeout(abort, IDLE_TIMEOUT)
  function abort(): void {
    idle.abort(new Error('the stream was idle for too long'))
  }
  try {
    const response = await request(apiUrl(path), {
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }),
      },
      cache: 'no-store',
      signal: AbortSignal.any([signal, idle.signal]),
    })
    listener.onOpen()
    const parser = createParser({
      onEvent: ({ event = 'message', id, data }) =>
        listener.onEvent({ event, id: id ?? null, data: JSON.parse(data) as unknown }),
      onRetry: (milliseconds) => listener.onRetry(milliseconds),
    })
    const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
    const decoder = new TextDecoder()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(abort, IDLE_TIMEOUT)
      parser.feed(decoder.decode(value, { stream: true }))
      listener.onActivity()
    }
  } finally {
    clearTimeout(timer)
  }
}
