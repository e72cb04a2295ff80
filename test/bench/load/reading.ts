import { send } from '../../support/http/client.js'
import { call } from './call.js'
import { createRunning } from './campaign.js'

const PAGE = 100
/** Of how many experiments one runs and is found. */
const ONE_IN = 10

/** What is read of a campaign. */
export interface Reading {
  readonly name: string
  readonly what: string
  readonly n: number
  readonly oneIn?: number
  /** What is read, below the campaign; all of it about as large as the first. */
  readonly pathsOf: (campaign: string) => readonly string[] | Promise<readonly string[]>
  readonly isKnown?: boolean
}

export const PROGRESS: Reading = { name: 'progress', what: 'GET progress', n: 100, pathsOf: () => ['/progress'] }
export const NOT_MODIFIED: Reading = { ...PROGRESS, name: '304', what: 'GET progress answered 304', isKnown: true }
export const MANIFEST: Reading = {
  name: 'manifest',
  what: 'Bytes of GET the manifest',
  n: 10_000,
  pathsOf: () => [''],
}
export const BY_STATUS: Reading = {
  name: 'page',
  what: `GET a page of ${PAGE} experiments by status`,
  n: 10_000,
  oneIn: ONE_IN,
  pathsOf: pages,
}

/** Creates what is read, and reads it once. */
export async function prepareReading(url: string, { n, oneIn = 1, pathsOf, isKnown = false }: Reading) {
  const { path } = await createRunning(url, n, { oneIn })
  const paths = (await pathsOf(url + path)).map((below) => path + below)
  const { text, headers } = await send('GET', `${url}${paths[0] ?? ''}`)
  const tag = headers.get('etag') ?? ''
  return { text, tag, request: { method: 'GET', paths, ...(isKnown ? { known: tag } : {}) } as const }
}

/** Every page of what runs: the last is as far into the campaign as can be. */
async function pages(campaign: string): Promise<string[]> {
  const query = `/experiments?status=running&limit=${PAGE}`
  const paths = [query]
  for (;;) {
    const { next_page_token } = await call<{ next_page_token: string | null }>('GET', campaign + (paths.at(-1) ?? ''))
    if (next_page_token === null) return paths
    paths.push(`${query}&page_token=${next_page_token}`)
  }
}
