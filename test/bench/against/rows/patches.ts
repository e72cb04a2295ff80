import { createManyRunning, createRunning, UPDATE } from '../../load/campaign.js'
import { CONNECTIONS } from '../../row.js'
import type { Comparison } from '../comparison.js'
import { loadComparison } from '../load-comparison.js'

const CAMPAIGNS = 64
const N = 100
const LARGE_N = 10_000

export const patches: readonly Comparison[] = [
  ...[1, CONNECTIONS, 256].map((connections) => patchesOfOne(`patch-${connections}`, connections, N)),
  ...[1, CONNECTIONS, 256].map((connections) => patchesOfOne(`patch-${connections}-10k`, connections, LARGE_N)),
  loadComparison({
    name: 'campaigns',
    title: `PATCH, ${CONNECTIONS} connections over ${CAMPAIGNS} campaigns of N = ${N}`,
    prepare: async (url) => ({ method: 'PATCH', body: UPDATE, paths: await createManyRunning(url, CAMPAIGNS, N) }),
  }),
]

function patchesOfOne(name: string, connections: number, n: number): Comparison {
  return loadComparison({
    name,
    title: `PATCH, ${connections} at once, N = ${n}`,
    connections,
    prepare: async (url) => ({ method: 'PATCH', body: UPDATE, paths: (await createRunning(url, n)).paths }),
  })
}
