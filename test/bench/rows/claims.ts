import { type Comparison, serving, SLICE_SECONDS } from '../against/comparison.js'
import { warmUp } from '../against-baseline.js'
import { call, createRunning, draftOf, UPDATE, WORKER } from '../load/campaign.js'
import type { Load, LoadResult } from '../load/load.js'
import { measure } from '../load/measure.js'
import { CONNECTIONS, LEASE_SECONDS } from '../load/workload.js'
import { atLeast, RATE, ratioOf, type Row, SECONDS } from '../row.js'
import { startCampaignd } from '../services/child.js'

/** Experiments of a campaign, and claims of each: never so many that one would find nothing. */
const CLAIMED_EXPERIMENTS = 10_000
const CLAIMS = 9_000

const name = 'claims'
const title = `Claims of one, ${CONNECTIONS} at once, N = ${CLAIMED_EXPERIMENTS}`

export const claimsAgainstPatches: Row = {
  lines: [{ name, title: `${title}, against PATCHes`, goal: atLeast(0.8) }],
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
    const load = { url, connections: CONNECTIONS, seconds: SLICE_SECONDS }
    return { slice: async () => [RATE.of(await measureClaims(load))] }
  }),
}

/** Claims one experiment after the other from campaigns that it creates and deletes, one more than there are seconds. */
async function measureClaims(load: Pick<Load, 'url' | 'connections' | 'seconds'>): Promise<LoadResult> {
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
