import { campaignDraft } from '../../support/drafts.js'
import { call } from '../call.js'
import { measure, startCampaignd } from '../child.js'
import type { LoadResult } from '../load.js'
import { CONNECTIONS, inTurn, ratioOf, SECONDS, type Finding, type Row } from '../row.js'

const N = 10_000
const BATCH = 1000
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
    const ids = await createRunning(campaigns, 'patched')
    return ratioOf(await inTurn(claims, patches))

    function patches(): Promise<LoadResult> {
      const paths = ids.map((id) => `/v1/campaigns/patched/experiments/${id}`)
      return measure({ ...load, method: 'PATCH', paths, body: JSON.stringify({ result_path: 'results/[<id>].json' }) })
    }

    async function claims(round: number): Promise<LoadResult> {
      const names = Array.from({ length: CAMPAIGNS }, (_, index) => `claimed-${round}-${index}`)
      for (const campaign_id of names) await call('POST', campaigns, campaignDraft(N, { campaign_id }))
      const result = await measure({
        ...load,
        method: 'POST',
        paths: names.map((name) => `/v1/campaigns/${name}/claims`),
        perPath: CLAIMS,
        body: JSON.stringify({ worker: 'gpu-node-1/vllm', claim_id: '[<id>]', lease_seconds: LEASE_SECONDS }),
      })
      await checkAllClaimed(campaigns, names, result.good)
      for (const name of names) await call('DELETE', `${campaigns}/${name}?force=true`)
      return result
    }
  } finally {
    await service.stop()
  }
}

/** A campaign like those that are claimed from, but all of it claimed. */
async function createRunning(campaigns: string, campaign_id: string): Promise<string[]> {
  const draft = campaignDraft(N, { campaign_id })
  const ids = draft.experiments.map(({ exp_id }) => exp_id)
  await call('POST', campaigns, draft)
  const report = { status: 'running', worker: 'gpu-node-1/vllm', lease_seconds: LEASE_SECONDS }
  for (let first = 0; first < N; first += BATCH) {
    const updates = ids.slice(first, first + BATCH).map((exp_id) => ({ exp_id, ...report }))
    await call('PATCH', `${campaigns}/${campaign_id}/experiments`, { updates })
  }
  return ids
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
