import { call } from '../load/call.js'
import { createRunning, draftOf, UPDATE, WORKER } from '../load/campaign.js'
import { measure, startCampaignd } from '../services/child.js'
import { warmUp } from '../compare.js'
import type { LoadResult } from '../load/load.js'
import { CONNECTIONS, inTurn, ratioOf, SECONDS, type Finding, type Row } from '../row.js'

const N = 10_000
/** Campaigns to claim from, one after the other, and claims of each: never so many that one would find nothing. */
const CAMPAIGNS = 4
const CLAIMS = 9_000
/** Longer than the measurement, so that no lease runs out. */
const LEASE_SECONDS = 86_400

export const claimsAgainstPatches: Row = {
  name: 'claims',
  title: `Claims of one, ${CONNECTIONS} connections, N = ${N}, against PATCHes`,
  goal: { atLeast: 0.8 },
  measure: measureClaims,
}

async function measureClaims(directory: string): Promise<Finding> {
  const service = await startCampaignd(directory)
  const campaigns = `${service.url}/v1/campaigns`
  const load = { url: service.url, connections: CONNECTIONS, seconds: SECONDS } as const
  try {
    // A campaign like those that are claimed from, but all of it claimed.
    const { paths } = await createRunning(service.url, N, { campaignId: 'patched', leaseSeconds: LEASE_SECONDS })
    const updates = { ...load, method: 'PATCH', paths, body: UPDATE } as const
    await warmUp(updates)
    return ratioOf(await inTurn(claims, () => measure(updates)))

    async function claims(round: number): Promise<LoadResult> {
      const names = Array.from({ length: CAMPAIGNS }, (_, index) => `claimed-${round}-${index}`)
      for (const campaign_id of names) await call('POST', campaigns, draftOf(N, campaign_id))
      const result = await measure({
        ...load,
        method: 'POST',
        paths: names.map((name) => `/v1/campaigns/${name}/claims`),
        perPath: CLAIMS,
        body: JSON.stringify({ worker: WORKER, claim_id: '[<id>]', lease_seconds: LEASE_SECONDS }),
      })
      await checkAllClaimed(campaigns, names, result.good)
      for (const name of names) await call('DELETE', `${campaigns}/${name}?force=true`)
      return result
    }
  } finally {
    await service.stop()
  }
}

/** @throws Error when some answers cannot have handed out an experiment: an empty one is no claim */
async function checkAllClaimed(campaigns: string, names: readonly string[], answers: number): Promise<void> {
  let claimed = 0
  for (const name of names) {
    const { counts } = await call<{ counts: { pending: number; running: number } }>(
      'GET',
      `${campaigns}/${name}/progress`,
    )
    if (counts.pending === 0) throw new Error(`${name} ran out of experiments while they were claimed`)
    claimed += counts.running
  }
  if (claimed < answers) throw new Error(`${answers} claims were answered, but only ${claimed} experiments run`)
}
