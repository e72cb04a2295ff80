import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { send } from '../../support/http/client.js'
import { manifestPath } from '../../support/store/files.js'
import { againstBaseline, compare } from '../against-baseline.js'
import type { Requests } from '../load/load.js'
import { patches } from '../load/workload.js'
import { atLeast, type Finding, type Row, SECONDS } from '../row.js'
import { startBaseline, startCampaignd } from '../services/child.js'
import { hasEtcd, putsOf, startEtcd } from '../services/etcd.js'

const LACKS = hasEtcd ? {} : { lacks: 'etcd' }

export const patchesAgainstEtcd: readonly Row[] = [
  row('etcd-1', 1, 100, 0.75),
  row('etcd-64', 64, 100, 2),
  row('etcd-256', 256, 100, 2.5),
  row('etcd-64-10k', 64, 10_000, 0.6),
  row('etcd-256-10k', 256, 10_000, 1.2),
]

/** How far those rows can come: the same load on a service that only writes and replies. */
export const hollowAgainstEtcd: readonly Row[] = [1, 64, 256].map((connections) => ({
  lines: [
    {
      name: `hollow-${connections}`,
      title: `Fastify and the commit alone, the same load, ${connections} at once, against etcd put`,
      goal: null,
    },
  ],
  ...LACKS,
  measure: (directory) => measureHollow(directory, connections),
}))

function row(name: string, connections: number, n: number, goal: number): Row {
  return againstBaseline({
    ...{ workload: patches(name, connections, n), against: 'etcd put', goal: atLeast(goal), ...LACKS },
    start: async (directory, requests, url) => {
      const experiment = await experimentOf(url, requests)
      return { server: await startEtcd(directory), requests: putsOf(requests.paths, experiment) }
    },
  })
}

async function measureHollow(directory: string, connections: number): Promise<Finding[]> {
  const { requests, experiment, fileSize } = await sizesOf(join(directory, 'data'))
  const root = join(directory, 'hollow')
  mkdirSync(root)
  await using hollow = await startBaseline('hollow-service.ts', root, String(fileSize), String(experiment.length))
  await using etcd = await startEtcd(directory)
  const load = { connections, seconds: SECONDS }
  const puts = putsOf(requests.paths, experiment)
  return [await compare({ ...load, ...requests, url: hollow.url }, { ...load, ...puts, url: etcd.url })]
}

/** What the load on the service itself asks for, gets and has written. */
async function sizesOf(dataDir: string) {
  await using server = await startCampaignd(dataDir)
  const requests = await patches('hollow', 1, 100).prepare(server.url)
  const experiment = await experimentOf(server.url, requests)
  return { requests, experiment, fileSize: statSync(manifestPath(dataDir, 'sweep')).size }
}

async function experimentOf(url: string, { paths }: Requests): Promise<string> {
  return (await send('GET', `${url}${paths[0] ?? ''}`)).text
}
