import { send } from '../../support/http/client.js'
import { BYTES, type Measure, RATE } from '../row.js'
import { call, createManyRunning, createRunning, UPDATE, WORKER } from './campaign.js'
import type { Requests } from './load.js'

export const CONNECTIONS = 64
/** Longer than a measurement, so that no lease expires. */
export const LEASE_SECONDS = 86_400
const PAGE = 100

/** A load on the service, which is compared with a baseline and with another build. */
export interface Workload {
  readonly name: string
  readonly title: string
  readonly connections: number
  readonly by: Measure
  /** Creates what the requests are sent to. */
  readonly prepare: (url: string) => Promise<Requests>
}

export function patches(name: string, connections: number, n: number): Workload {
  return workload(name, `PATCH, ${connections} at once, N = ${n}`, {
    connections,
    prepare: async (url) => ({ method: 'PATCH', body: UPDATE, paths: (await createRunning(url, n)).paths }),
  })
}

export const MANY_CAMPAIGNS = 64

export const patchesOverCampaigns = workload(
  'campaigns',
  `PATCH, 64 at once over ${MANY_CAMPAIGNS} campaigns, N = 100`,
  {
    prepare: async (url) => ({
      method: 'PATCH',
      body: UPDATE,
      paths: await createManyRunning(url, MANY_CAMPAIGNS, 100),
    }),
  },
)

export const heartbeats = workload('heartbeats', `Heartbeats, ${CONNECTIONS} at once, N = 1000`, {
  prepare: async (url) => {
    const { paths } = await createRunning(url, 1000, { leaseSeconds: LEASE_SECONDS })
    const body = JSON.stringify({ attempt: 1, worker: WORKER })
    return { method: 'POST', body, paths: paths.map((path) => `${path}/heartbeat`) }
  },
})

export const progress = reads('progress', 'GET progress', 100, (path) => [`${path}/progress`])

export const notModified: Workload = {
  ...progress,
  name: '304',
  title: `${progress.title}, replied to with 304`,
  prepare: async (url) => {
    const requests = await progress.prepare(url)
    const { headers } = await send('GET', `${url}${requests.paths[0] ?? ''}`)
    return { ...requests, known: headers.get('etag') ?? '' }
  },
}

export const manifest: Workload = {
  ...reads('manifest', 'Bytes of GET the manifest', 10_000, (path) => [path]),
  by: BYTES,
}

/** Every page of the running experiments, one of ten: the last is at the end of the campaign. */
export const page = reads('page', `GET a page of ${PAGE} experiments by status`, 10_000, pagesOf, 10)

type PathsOf = (campaign: string, url: string) => readonly string[] | Promise<readonly string[]>

function reads(name: string, what: string, n: number, pathsOf: PathsOf, oneIn = 1): Workload {
  return workload(name, `${what}, ${CONNECTIONS} at once, N = ${n}`, {
    prepare: async (url) => {
      const { path } = await createRunning(url, n, { oneIn })
      return { method: 'GET', paths: await pathsOf(path, url) }
    },
  })
}

async function pagesOf(campaign: string, url: string): Promise<string[]> {
  const query = `${campaign}/experiments?status=running&limit=${PAGE}`
  const paths = [query]
  for (;;) {
    const { next_page_token } = await call<{ next_page_token: string | null }>('GET', url + (paths.at(-1) ?? ''))
    if (next_page_token === null) return paths
    paths.push(`${query}&page_token=${next_page_token}`)
  }
}

function workload(
  name: string,
  title: string,
  rest: Pick<Workload, 'prepare'> & { readonly connections?: number },
): Workload {
  return { name, title, connections: CONNECTIONS, by: RATE, ...rest }
}
