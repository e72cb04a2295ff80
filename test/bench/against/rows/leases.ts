import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createManyRunning, createRunning, WORKER } from '../../load/campaign.js'
import { LEASE_SECONDS } from '../../load/claims.js'
import { CONNECTIONS } from '../../row.js'
import { SLICE_SECONDS, WARM_UP_SECONDS, type Comparison } from '../comparison.js'
import { loadComparison } from '../load-comparison.js'
import { serving } from '../serving.js'

const N = 1000
const CAMPAIGNS = 10
/** As many leases as let the sweep stand out from all else that an idle service does. */
const SWEPT = 10_000
const SWEEP = 'sweep'

export const heartbeats: Comparison = loadComparison({
  name: 'heartbeats',
  title: `Heartbeats, ${CONNECTIONS} connections, N = ${N}`,
  prepare: async (url) => {
    const { paths } = await createRunning(url, N, { leaseSeconds: LEASE_SECONDS })
    const body = JSON.stringify({ attempt: 1, worker: WORKER })
    return { method: 'POST', paths: paths.map((path) => `${path}/heartbeat`), body }
  },
})

export const sweep: Comparison = {
  rows: [
    {
      name: SWEEP,
      title: `Main thread of a service that only sweeps ${CAMPAIGNS * SWEPT} live leases`,
      better: 'less',
      words: (figure) => `${figure.toFixed(2)} ms a second`,
    },
  ],
  open: serving(async ({ url, pid }) => {
    await createManyRunning(url, CAMPAIGNS, SWEPT, { leaseSeconds: LEASE_SECONDS })
    return {
      warmUp: () => sleep(WARM_UP_SECONDS * 1000),
      slice: async () => {
        const [began, before] = [performance.now(), mainThreadMilliseconds(pid)]
        await sleep(SLICE_SECONDS * 1000)
        const seconds = (performance.now() - began) / 1000
        return { [SWEEP]: (mainThreadMilliseconds(pid) - before) / seconds }
      },
    }
  }),
}

/** How long the main thread of a process was on a processor. */
function mainThreadMilliseconds(pid: number): number {
  const [nanoseconds] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')
  return Number(nanoseconds) / 1e6
}
