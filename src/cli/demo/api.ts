/** Calls the API of the demo's service. */
export class DemoApi {
  constructor(
    private readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  /** @returns the body; null for a 409: the worker has lost the attempt */
  async call<T>(method: 'POST' | 'PATCH', path: string, body: object): Promise<T | null> {
    const response = await fetch(`${this.url}/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: this.signal,
    })
    if (response.status === 409) return null
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }
}
