import { type Comparison, serving, SLICE_SECONDS } from '../against/comparison.js'
import { warmUp } from '../against-baseline.js'
import { createRunning, UPDATE } from '../load/campaign.js'
import { CLAIMED_EXPERIMENTS, measureClaims } from '../load/claims.js'
import { measure } from '../load/measure.js'
import { CONNECTIONS, LEASE_SECONDS } from '../load/workload.js'
import { RATE, ratioOf, type Row, SECONDS } from '../row.js'
import { startCampaignd } from '../services/child.js'

const name = 'claims'
const title = `Claims of one, ${CONNECTIONS} at once, N = ${CLAIMED_EXPERIMENTS}`

export const claimsAgainstPatches: Row = {
  lines: [{ name, title: `${title}, against PATCHes`, goal: { atLeast: 0.8 } }],
  measure: async (directory) => {
    await using server = await startCampaignd(directory)
    const load = { url: server.url, connections: CONNECTIONS, seconds: SECONDS }
    // A campaign like those that are claimed from, but all of it claimed.
    const patched = { campaignId: 'patched', leaseSeconds: LEASE_SECONDS }
    const { paths } = await createRunning(server.url, CLAIMED_EXPERIMENTS, patched)
    const updates = { ...load, method: 'PATCH', paths, body: UPDATE } as const
    await warmUp(updates)
    const finding = await ratioOf(
      () => measureClaims(load),
      () => measure(updates),
    )
    return [finding]
  },
}

export const claimsOfBuilds: Comparison = {
  lines: [{ name, title, better: 'more', words: RATE.words }],
  open: serving(async ({ url }) => {
    const claimAll = () => measureClaims({ url, connections: CONNECTIONS, seconds: SLICE_SECONDS })
    return { warmUp: claimAll, slice: async () => [RATE.of(await claimAll())] }
  }),
}
