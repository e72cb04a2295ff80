import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { send } from '../../support/http/client.js'
import { warmUp } from '../against-baseline.js'
import { measure } from '../load/measure.js'
import { CONNECTIONS, patches } from '../load/workload.js'
import { atLeast, ratioOf, type Row, SECONDS } from '../row.js'
import { startBaseline, startCampaignd } from '../services/child.js'

export const patchesAgainstNaive: readonly Row[] = [row('patch', 100, 10), row('patch-10k', 10_000, 150)]

function row(name: string, n: number, goal: number): Row {
  const workload = patches(name, CONNECTIONS, n)
  return {
    lines: [{ name, title: `${workload.title}, against the naive handler`, goal: atLeast(goal) }],
    measure: async (directory) => {
      await using ours = await startCampaignd(join(directory, 'data'))
      const requests = await workload.prepare(ours.url)
      const [campaign = ''] = (requests.paths[0] ?? '').split('/experiments')
      const manifest = (await send('GET', `${ours.url}${campaign}?format=llenergymeasure`)).text
      const load = { ...requests, connections: CONNECTIONS, seconds: SECONDS }
      const updates = { ...load, url: ours.url }
      await warmUp(updates)
      return [await ratioOf(() => measure(updates), patchNaively)]

      /** A process and a file for each round: the queue and the lock that a round leaves would slow the next one down. */
      async function patchNaively(round: number) {
        const file = join(directory, `naive-${round}.json`)
        writeFileSync(file, manifest)
        await using naive = await startBaseline('naive-service.ts', file)
        return await measure({ ...load, url: naive.url, paths: load.paths.map((path) => path.replace(campaign, '')) })
      }
    },
  }
}
