/** Calls the API of the demo's service. */
export class DemoApi {
  constructor(
    private readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  /** @returns the answer; null for a 409, which says that the attempt is not ours any more */
  async call<T>(method: 'POST' | 'PATCH', path: string, body: object): Promise<T | null> {
    const answer = await fetch(`${this.url}/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: this.signal,
    })
    if (answer.status === 409) return null
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
}
