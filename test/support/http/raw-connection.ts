import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** One response as it was received. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** A connection of which the test chooses every byte. */
export class RawConnection {
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>
  private received = ''
  private over = false

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk: string) => (this.received += chunk))
    // A test sees by what was received that a connection broke.
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.over = true
        resolve()
      })
    })
  }

  /** @param allowHalfOpen true: it stays open on this side when the service closes it */
  static async open(url: string, { allowHalfOpen = false } = {}): Promise<RawConnection> {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen })
    const connection = new RawConnection(socket)
    await once(socket, 'connect')
    return connection
  }

  get isClosed(): boolean {
    return this.over
  }

  /** @param bytes as a text: with characters up to U+00FF, a byte each */
  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Closes the sending side only. */
  endWriting(): void {
    this.socket.end()
  }

  stopReading(): void {
    this.socket.pause()
  }

  readOn(): void {
    this.socket.resume()
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** All that was received so far. */
  get text(): string {
    return this.received
  }

  /**
   * The complete responses so far.
   * @throws Error at bytes that are no response
   */
  answers(): RawAnswer[] {
    const answers: RawAnswer[] = []
    for (let rest = this.received; rest !== '';) {
      const end = rest.indexOf('\r\n\r\n')
      if (end < 0) break
      const [first = '', ...lines] = rest.slice(0, end).split('\r\n')
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1])
      if (Number.isNaN(status)) throw new Error(`no response: ${rest.slice(0, 200)}`)
      const headers = new Map(lines.map(readHeader))
      const from = end + '\r\n\r\n'.length
      const length = Number(headers.get('content-length') ?? 0)
      if (rest.length < from + length) break
      const body = Buffer.from(rest.slice(from, from + length), 'latin1').toString()
      answers.push({ status, headers, body })
      rest = rest.slice(from + length)
    }
    return answers
  }
}

function readHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
