import fc from 'fast-check'
import { anyChoice, flaw, worker } from '../arguments/arguments.js'
import { noCondition } from '../arguments/condition.js'
import { lifted } from '../campaign/bench-model.js'
import { revised } from '../campaign/campaign-model.js'
import { Refused } from '../campaign/refused.js'
import type { Scene } from '../scene.js'
import { command } from './command.js'

/** PATCH that gives a worker experiments again. */
export const patchWorker = command({
  name: 'patch-worker',
  weight: 5,
  arguments: fc.record({
    campaign: anyChoice,
    name: fc.oneof({ weight: 9, arbitrary: worker }, { weight: 1, arbitrary: fc.constant('nobody') }),
    flaw: flaw(15, { benched: true }, { benched: null }, { worker: 'gpu-1' }),
  }),
  run: (scene, { campaign, name, flaw: wrong }) => {
    return liftBench(scene, { id: scene.world.choose(campaign), name, flaw: wrong })
  },
})

interface Lifting {
  readonly id: string
  /** Of the worker. */
  readonly name: string
  readonly flaw?: object | undefined
}

export function liftBench(scene: Scene, { id, name, flaw: wrong }: Lifting): Promise<void> {
  const call = { campaign: id, method: 'PATCH', path: `/workers/${name}`, body: { benched: false } } as const
  return scene.write({ ...call, ifMatch: noCondition, flaw: wrong }, (before) => {
    const now = scene.world.at(before)
    const bench_lifted = lifted(before, name, now)
    if (bench_lifted === null) throw new Refused(404, 'worker-not-found')
    const isChanged = bench_lifted !== before.bench_lifted
    scene.count(isChanged ? 'lifted' : 'nothing to lift')
    const after = isChanged ? revised(before, now, { bench_lifted }) : before
    return { campaign: after, status: 200, body: { worker: name, benched: false } }
  })
}
