import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { campaignDraft } from '../../support/drafts.js'
import { call } from '../call.js'
import { measure, startBaseline, startCampaignd } from '../child.js'
import { CONNECTIONS, inTurn, ratioOf, SECONDS, type Finding, type Row } from '../row.js'

const N = 100

export const patchAgainstNaive: Row = {
  name: 'patch',
  title: `PATCH one status, ${CONNECTIONS} connections, N = ${N}, against the naive handler`,
  goal: { atLeast: 10 },
  measure: measurePatches,
}

async function measurePatches(directory: string): Promise<Finding> {
  const draft = campaignDraft(N)
  const ids = draft.experiments.map(({ exp_id }) => exp_id)
  const ours = await startCampaignd(join(directory, 'data'))
  const campaign = `${ours.url}/v1/campaigns/sweep`
  await call('POST', `${ours.url}/v1/campaigns`, draft)
  await call('PATCH', `${campaign}/experiments`, { updates: ids.map((exp_id) => ({ exp_id, status: 'running' })) })
  const path = join(directory, 'naive.json')
  writeFileSync(path, await (await fetch(`${campaign}?format=llenergymeasure`)).text())
  const naive = await startBaseline('naive-service.ts', path)
  try {
    const body = JSON.stringify({ result_path: 'results/[<id>].json' })
    const load = { method: 'PATCH', body, connections: CONNECTIONS, seconds: SECONDS } as const
    const rounds = await inTurn(
      () => measure({ ...load, url: ours.url, paths: ids.map((id) => `/v1/campaigns/sweep/experiments/${id}`) }),
      () => measure({ ...load, url: naive.url, paths: ids.map((id) => `/experiments/${id}`) }),
    )
    return ratioOf(rounds)
  } finally {
    await ours.stop()
    await naive.stop()
  }
}
