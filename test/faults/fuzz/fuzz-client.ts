import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import type { DocumentedAnswer } from '../../support/http/open-api-document.js'
import { bodyOf, type FuzzRequest, urlOf } from './fuzz-request.js'

/** Milliseconds after which it has hung. */
const REPLY_TIMEOUT = 20_000
/** Milliseconds in which a stream sends its first event, if it has one. */
const FIRST_EVENT_LIMIT = 100

export class FuzzClient {
  private readonly address: { readonly hostname: string; readonly port: string }
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.address = { hostname, port }
  }

  /** Of a stream the answer is what comes until the first event has. Rejects when the connection breaks. */
  send(request: FuzzRequest): Promise<DocumentedAnswer> {
    const body = bodyOf(request)
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const headers = {
      ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
      ...request.headers,
    }
    return new Promise((resolve, reject) => {
      const { method } = request.operation
      // A path that is given as a URL would be put in order: dots in it are for the service to check.
      const path = urlOf(request)
      const sent = httpRequest({ ...this.address, path, method, headers, agent: this.agent, timeout: REPLY_TIMEOUT })
      sent.once('error', reject)
      sent.once('timeout', () => sent.destroy(new Error(`no answer within ${REPLY_TIMEOUT / 1000} s`)))
      sent.once('response', (response) => {
        const { statusCode: status = 0, headers: answered } = response
        bodyFrom(response).then((text) => resolve({ status, headers: answered, body: text }), reject)
      })
      sent.end(bytes)
    })
  }

  close(): void {
    this.agent.destroy()
  }
}

async function bodyFrom(response: IncomingMessage): Promise<string> {
  if (response.headers['content-type']?.startsWith('text/event-stream') === true) return firstEventOf(response)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function firstEventOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const leave = () => {
      clearTimeout(timer)
      resolve(text)
      response.destroy()
    }
    const timer = setTimeout(leave, FIRST_EVENT_LIMIT)
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n\n')) leave()
    })
    response.once('error', leave).once('close', leave)
  })
}
