import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { send } from '../../support/http/client.js'
import { manifestPath } from '../../support/store/files.js'
import { createRunning, UPDATE } from '../load/campaign.js'
import { startBaseline, startCampaignd } from '../services/child.js'
import { compare } from '../compare.js'
import { hasEtcd, putsOf, startEtcd } from '../services/etcd.js'
import { SECONDS, type Finding, type Row } from '../row.js'

const N = 100

/** How far the rows against etcd can come: the same load on a service that only writes and answers. */
export const hollowAgainstEtcd: readonly Row[] = [1, 64, 256].map((connections) => ({
  name: `hollow-${connections}`,
  title: `Fastify and the commit alone, the same load, ${connections} at once, against etcd put`,
  goal: null,
  ...(hasEtcd ? {} : { lacks: 'etcd' }),
  measure: (directory) => measureHollow(directory, connections),
}))

async function measureHollow(directory: string, connections: number): Promise<Finding> {
  const { paths, experiment, fileSize } = await sizesOf(join(directory, 'data'))
  const root = join(directory, 'hollow')
  mkdirSync(root)
  const hollow = await startBaseline('hollow-service.ts', root, String(fileSize), String(experiment.length))
  const etcd = await startEtcd(directory)
  try {
    const load = { connections, seconds: SECONDS }
    const updates = { ...load, url: hollow.url, method: 'PATCH', paths, body: UPDATE } as const
    const puts = { ...load, url: etcd.url, ...putsOf(paths, experiment) }
    return await compare(updates, puts)
  } finally {
    await hollow.stop()
    await etcd.stop()
  }
}

/** What the load on the service itself asks for, is answered, and has written. */
async function sizesOf(dataDir: string) {
  const { url, stop } = await startCampaignd(dataDir)
  try {
    const { paths } = await createRunning(url, N)
    const experiment = (await send('GET', `${url}${paths[0] ?? ''}`)).text
    return { paths, experiment, fileSize: statSync(manifestPath(dataDir, 'sweep')).size }
  } finally {
    await stop()
  }
}
