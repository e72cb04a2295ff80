import { call } from './call.js'
import { draftOf, WORKER } from './campaign.js'
import type { Load, LoadResult } from './load.js'
import { measure } from './measure.js'
import { LEASE_SECONDS } from './workload.js'

/** Experiments of a campaign, and claims of each: never so many that one would find nothing. */
export const CLAIMED_EXPERIMENTS = 10_000
const CLAIMS = 9_000

/** Claims one experiment after the other from campaigns that it creates and deletes, one more than there are seconds. */
export async function measureClaims(load: Pick<Load, 'url' | 'connections' | 'seconds'>): Promise<LoadResult> {
  const campaigns = `${load.url}/v1/campaigns`
  const names = Array.from({ length: Math.ceil(load.seconds) + 1 }, (_, index) => `claimed-${index}`)
  for (const campaign_id of names) await call('POST', campaigns, draftOf(CLAIMED_EXPERIMENTS, campaign_id))
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

/** @throws Error when some replies cannot have handed out an experiment: an empty one is no claim */
async function checkAllClaimed(campaigns: string, names: readonly string[], replies: number): Promise<void> {
  let claimed = 0
  for (const name of names) {
    const { counts } = await call<{ counts: { pending: number; running: number } }>(
      'GET',
      `${campaigns}/${name}/progress`,
    )
    if (counts.pending === 0) throw new Error(`${name} ran out of experiments while they were claimed`)
    claimed += counts.running
  }
  if (claimed < replies) throw new Error(`${replies} claims were granted, but only ${claimed} experiments run`)
}
