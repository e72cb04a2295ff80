import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRunning, UPDATE } from '../load/campaign.js'
import { measure } from '../load/measure.js'
import { startBaseline, startCampaignd } from '../services/child.js'
import { warmUp } from '../compare.js'
import { CONNECTIONS, inTurn, ratioOf, SECONDS, type Finding, type Row } from '../row.js'

export const patchAgainstNaive: readonly Row[] = [row('patch', 100, 10), row('patch-10k', 10_000, 150)]

function row(name: string, n: number, goal: number): Row {
  return {
    name,
    title: `PATCH, ${CONNECTIONS} connections, N = ${n}, against the naive handler`,
    goal: { atLeast: goal },
    measure: (directory) => measurePatches(directory, n),
  }
}

async function measurePatches(directory: string, n: number): Promise<Finding> {
  const ours = await startCampaignd(join(directory, 'data'))
  try {
    const { ids, path, paths } = await createRunning(ours.url, n)
    const manifest = await (await fetch(`${ours.url}${path}?format=llenergymeasure`)).text()
    const load = { method: 'PATCH', body: UPDATE, connections: CONNECTIONS, seconds: SECONDS } as const
    const updates = { ...load, url: ours.url, paths }
    await warmUp(updates)
    return ratioOf(await inTurn(() => measure(updates), patchNaively))

    /**
     * A process and a file for each round: the next would be measured beside what this one left in its queue, ten seconds of
     * work, or wait as long for a lock that it left.
     */
    async function patchNaively(round: number) {
      const file = join(directory, `naive-${round}.json`)
      writeFileSync(file, manifest)
      const naive = await startBaseline('naive-service.ts', file)
      try {
        return await measure({ ...load, url: naive.url, paths: ids.map((id) => `/experiments/${id}`) })
      } finally {
        await naive.stop()
      }
    }
  } finally {
    await ours.stop()
  }
}
