import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { send } from '../../support/http/client.js'
import { call } from '../load/call.js'
import { createRunning } from '../load/campaign.js'
import { startBaseline, startCampaignd } from '../services/child.js'
import { compare } from '../compare.js'
import { BYTES, CONNECTIONS, SECONDS, type Measure, type Row } from '../row.js'

const PAGE = 100
/** Of how many experiments one runs and is found. */
const ONE_IN = 10

interface Reading {
  readonly n: number
  readonly oneIn?: number
  /** What is read, below the campaign; all of it about as large as the first. */
  readonly pathsOf: (campaign: string) => readonly string[] | Promise<readonly string[]>
  readonly isKnown?: boolean
  readonly bare: '/text' | '/buffer'
  readonly by?: Measure
}

const PROGRESS: Reading = { n: 100, pathsOf: () => ['/progress'], bare: '/text' }
const MANIFEST: Reading = { n: 10_000, pathsOf: () => [''], bare: '/buffer', by: BYTES }
const BY_STATUS: Reading = { n: 10_000, oneIn: ONE_IN, pathsOf: pages, bare: '/text' }

export const readsAgainstBare: readonly Row[] = [
  row('progress', 'GET progress', 0.8, PROGRESS),
  row('304', 'GET progress answered 304', 0.9, { ...PROGRESS, isKnown: true }),
  row('manifest', 'Bytes of GET the manifest', 0.9, MANIFEST),
  row('page', `GET a page of ${PAGE} experiments by status`, 0.5, BY_STATUS),
]

function row(name: string, what: string, goal: number, reading: Reading): Row {
  const lying = reading.bare === '/text' ? 'that JSON' : 'a Buffer of that size'
  return {
    name,
    title: `${what}, ${CONNECTIONS} connections, N = ${reading.n}, against bare Fastify sending ${lying}`,
    goal: { atLeast: goal },
    measure: (directory) => measureReads(directory, reading),
  }
}

async function measureReads(directory: string, { n, oneIn = 1, pathsOf, isKnown = false, bare, by }: Reading) {
  const ours = await startCampaignd(join(directory, 'data'))
  try {
    const { path } = await createRunning(ours.url, n, { oneIn })
    const paths = (await pathsOf(ours.url + path)).map((below) => path + below)
    const answer = await send('GET', `${ours.url}${paths[0] ?? ''}`)
    const tag = answer.headers.get('etag') ?? ''
    const file = join(directory, 'answer.json')
    writeFileSync(file, answer.text)
    const baseline = await startBaseline('bare-service.ts', file, tag)
    try {
      const known = isKnown ? { known: tag } : {}
      const load = { method: 'GET', connections: CONNECTIONS, seconds: SECONDS, ...known } as const
      return await compare({ ...load, url: ours.url, paths }, { ...load, url: baseline.url, paths: [bare] }, by)
    } finally {
      await baseline.stop()
    }
  } finally {
    await ours.stop()
  }
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
