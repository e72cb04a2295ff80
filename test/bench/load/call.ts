import { send } from '../../support/http/client.js'

/** A call that has to go well, as preparation for a measurement or to check one. */
export async function call<T = unknown>(method: string, url: string, body?: unknown): Promise<T> {
  const reply = await send(method, url, body)
  if (reply.status >= 300) throw new Error(`${method} ${url}: ${reply.status} ${reply.text}`)
  return (reply.status === 204 ? undefined : reply.json<T & object>()) as T
}
