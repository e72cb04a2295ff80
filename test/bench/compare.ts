import { measure } from './load/measure.js'
import type { Load } from './load/load.js'
import { CONNECTIONS, inTurn, ratioOf, type Finding, type Measure } from './row.js'

const WARM_UP_SECONDS = 10

/** The row of two loads on services that are warm. */
export async function compare(ours: Load, baseline: Load, by?: Measure): Promise<Finding> {
  await warmUp(ours, baseline)
  return ratioOf(
    await inTurn(
      () => measure(ours),
      () => measure(baseline),
    ),
    by,
  )
}

/**
 * Puts loads on that are not counted, with many connections also where one is to be measured: a service runs for weeks and is
 * compiled then, and here it would be so after half of the rounds, or not at all.
 */
export async function warmUp(...loads: readonly Load[]): Promise<void> {
  for (const load of loads) await measure({ ...load, connections: CONNECTIONS, seconds: WARM_UP_SECONDS })
}
