import { warmUp } from '../compare.js'
import { createRunning, UPDATE } from '../load/campaign.js'
import { CLAIMED_EXPERIMENTS, LEASE_SECONDS, measureClaims } from '../load/claims.js'
import { measure } from '../load/measure.js'
import { CONNECTIONS, inTurn, ratioOf, SECONDS, type Finding, type Row } from '../row.js'
import { startCampaignd } from '../services/child.js'

export const claimsAgainstPatches: Row = {
  name: 'claims',
  title: `Claims of one, ${CONNECTIONS} connections, N = ${CLAIMED_EXPERIMENTS}, against PATCHes`,
  goal: { atLeast: 0.8 },
  measure: measureRow,
}

async function measureRow(directory: string): Promise<Finding> {
  const { url, stop } = await startCampaignd(directory)
  const load = { url, connections: CONNECTIONS, seconds: SECONDS } as const
  try {
    // A campaign like those that are claimed from, but all of it claimed.
    const patched = { campaignId: 'patched', leaseSeconds: LEASE_SECONDS }
    const { paths } = await createRunning(url, CLAIMED_EXPERIMENTS, patched)
    const updates = { ...load, method: 'PATCH', paths, body: UPDATE } as const
    await warmUp(updates)
    return ratioOf(
      await inTurn(
        () => measureClaims(load),
        () => measure(updates),
      ),
    )
  } finally {
    await stop()
  }
}
