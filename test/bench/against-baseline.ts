import { join } from 'node:path'
import type { Load, Requests } from './load/load.js'
import { measure, putOn } from './load/measure.js'
import { CONNECTIONS, type Workload } from './load/workload.js'
import { type Finding, type Goal, type Measure, ratioOf, type Row, SECONDS } from './row.js'
import { type Server, startCampaignd } from './services/child.js'

const WARM_UP_SECONDS = 10

interface Baseline {
  /** Null: the service itself. */
  readonly server: Server | null
  readonly requests: Requests
}

interface LoadRow {
  readonly workload: Workload
  readonly against: string
  readonly goal: Goal
  readonly lacks?: string
  /** Starts the baseline of a service on which the requests are prepared. */
  readonly start: (directory: string, requests: Requests, url: string) => Promise<Baseline>
}

/** The row of a load on the service and one on a baseline. */
export function againstBaseline({ workload, against, goal, start, ...row }: LoadRow): Row {
  const { name, title, connections, by, prepare } = workload
  return {
    ...row,
    lines: [{ name, title: `${title}, against ${against}`, goal }],
    measure: async (directory) => {
      await using ours = await startCampaignd(join(directory, 'data'))
      const requests = await prepare(ours.url)
      const baseline = await start(directory, requests, ours.url)
      await using server = baseline.server
      const load = { connections, seconds: SECONDS }
      const finding = await compare(
        { ...load, ...requests, url: ours.url },
        { ...load, ...baseline.requests, url: (server ?? ours).url },
        by,
      )
      return [finding]
    },
  }
}

/** Compares two loads on services that are warm. */
export async function compare(ours: Load, baseline: Load, by?: Measure): Promise<Finding> {
  await warmUp(ours, baseline)
  return ratioOf(
    () => measure(ours),
    () => measure(baseline),
    by,
  )
}

/** Loads that do not count, always by many connections: a service runs for weeks and is compiled then. */
export async function warmUp(...loads: readonly Load[]): Promise<void> {
  for (const load of loads) await putOn({ ...load, connections: CONNECTIONS, seconds: WARM_UP_SECONDS })
}
