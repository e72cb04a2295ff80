import { join } from 'node:path'
import { send } from '../../support/http/client.js'
import { createRunning, UPDATE } from '../load/campaign.js'
import { startCampaignd } from '../services/child.js'
import { compare } from '../compare.js'
import { hasEtcd, putsOf, startEtcd } from '../services/etcd.js'
import { SECONDS, type Finding, type Row } from '../row.js'

export const patchAgainstEtcd: readonly Row[] = [
  row('etcd-1', 1, 100, 0.75),
  row('etcd-64', 64, 100, 2),
  row('etcd-256', 256, 100, 2.5),
  row('etcd-64-10k', 64, 10_000, 0.6),
  row('etcd-256-10k', 256, 10_000, 1.2),
]

function row(name: string, connections: number, n: number, goal: number): Row {
  const plural = connections === 1 ? 'connection' : 'connections'
  return {
    name,
    title: `PATCH, ${connections} ${plural}, N = ${n}, against etcd put`,
    goal: { atLeast: goal },
    ...(hasEtcd ? {} : { lacks: 'etcd' }),
    measure: (directory) => measurePatches(directory, connections, n),
  }
}

async function measurePatches(directory: string, connections: number, n: number): Promise<Finding> {
  const ours = await startCampaignd(join(directory, 'data'))
  const etcd = await startEtcd(directory)
  try {
    const { paths } = await createRunning(ours.url, n)
    const experiment = await send('GET', `${ours.url}${paths[0] ?? ''}`)
    const load = { connections, seconds: SECONDS }
    const updates = { ...load, url: ours.url, method: 'PATCH', paths, body: UPDATE } as const
    const puts = { ...load, url: etcd.url, ...putsOf(paths, experiment.text) }
    return await compare(updates, puts)
  } finally {
    await ours.stop()
    await etcd.stop()
  }
}
