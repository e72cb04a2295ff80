import fc from 'fast-check'
import type { Experiment, FailureKind } from '#campaignd/domain/experiment/experiment.js'
import type { Scene } from '../scene.js'
import { postClaim } from './claim.js'
import { command } from './command.js'
import { sendPatch } from './patch-campaign.js'
import { liftBench } from './patch-worker.js'
import { patchExperiment } from './report.js'

const TEN_MINUTES = 600_000

/** A worker claims one experiment after the other, and fails at each, while the other one holds something. */
export const fail = command({
  name: 'fail',
  weight: 15,
  arguments: fc.record({
    nth: fc.nat(9),
    times: fc.constantFrom(1, 2, 2, 3),
    limit: fc.constantFrom(undefined, 1, 1, 2),
    isHeld: fc.constantFrom(true, true, true, false),
    then: fc.constantFrom('it is given more', 'it waits', 'it waits', 'nothing'),
    kind: fc.constantFrom<(FailureKind | null)[]>('error', 'oom', 'timeout', null, 'interrupted'),
  }),
  run: async (scene, { nth, times, limit, isHeld, then, kind }) => {
    const ids = [...scene.world.campaigns.keys()]
    const id = ids[nth % ids.length]
    if (id === undefined) return
    const settings = { worker_failure_limit: limit ?? 0, max_retries: 3 }
    if (limit !== undefined) await sendPatch(scene, { id, patch: { settings }, cancels: undefined })
    if (isHeld) await postClaim(scene, id, { worker: 'gpu-2' })
    for (let time = 0; time < times; time += 1) {
      await postClaim(scene, id, { worker: 'gpu-1' })
      const isItsOwn = (one: Experiment) => one.status === 'running' && one.worker === 'gpu-1'
      const one = scene.world.experimentsOf(id).find(isItsOwn)
      if (one === undefined) break
      const failure = kind === null || kind === 'lost' ? {} : { failure_kind: kind }
      await patchExperiment(scene, { id, expId: one.exp_id, body: { status: 'failed', worker: 'gpu-1', ...failure } })
    }
    if (then === 'nothing') return
    if (then === 'it waits') wait(scene)
    else await liftBench(scene, { id, name: 'gpu-1' })
    await postClaim(scene, id, { worker: 'gpu-1', limit: 3 })
  },
})

/** By a clock that can be set; by a real one it is not worth it. */
function wait({ world, service }: Scene): void {
  if (!service.isTimed) return
  world.pass(TEN_MINUTES)
  service.now = world.now
}
