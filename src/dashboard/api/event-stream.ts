import { createParser } from 'eventsource-parser'
import { apiUrl, request } from './client.ts'

export interface StreamEvent {
  readonly event: string
  readonly id: string | null
  readonly data: unknown
}

export interface StreamListener {
  /** The service has begun to answer. */
  onOpen(): void
  onEvent(event: StreamEvent): void
  /** Something came, if only a comment: what is shown is as of now. */
  onSign(): void
  /** The service says after how many milliseconds to come back. */
  onRetry(milliseconds: number): void
}

/** Milliseconds of silence after which a stream is taken for dead: the service comments every 15 s. */
const SILENCE = 40_000

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
  const silence = new AbortController()
  let timer = setTimeout(giveUp, SILENCE)
  function giveUp(): void {
    silence.abort(new Error('the stream went silent'))
  }
  try {
    const answer = await request(apiUrl(path), {
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }),
      },
      cache: 'no-store',
      signal: AbortSignal.any([signal, silence.signal]),
    })
    listener.onOpen()
    const parser = createParser({
      onEvent: ({ event = 'message', id, data }) =>
        listener.onEvent({ event, id: id ?? null, data: JSON.parse(data) as unknown }),
      onRetry: (milliseconds) => listener.onRetry(milliseconds),
    })
    const reader = (answer.body ?? new ReadableStream<Uint8Array>()).getReader()
    const decoder = new TextDecoder()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(giveUp, SILENCE)
      parser.feed(decoder.decode(value, { stream: true }))
      listener.onSign()
    }
  } finally {
    clearTimeout(timer)
  }
}
