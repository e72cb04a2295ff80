import fc from 'fast-check'
import type { Scene } from '../../scene.js'
import { command } from '../command.js'

/** Milliseconds between two sweeps. */
const SWEEP = 500
const LONGEST = 240

/** Time goes by for the leases, with a sweep every half second: a worker that was not seen is lost when the model says so. */
export const elapse = command({
  name: 'elapse',
  weight: 50,
  arguments: fc.record({
    sweeps: fc.oneof(fc.integer({ min: 1, max: 110 }), fc.integer({ min: 110, max: LONGEST })),
    // At the end: a lease may run out that no sweep has given up yet.
    rest: fc.integer({ min: 0, max: SWEEP - 1 }),
  }),
  run: (scene, { sweeps, rest }) => pass(scene, sweeps, rest),
})

/** Lets all leases run out that are left. */
export function runOut(scene: Scene): Promise<void> {
  return pass(scene, LONGEST, 0)
}

async function pass(scene: Scene, sweeps: number, rest: number): Promise<void> {
  const { world, service } = scene
  world.diary.push(`${sweeps} sweeps, and ${rest} ms`)
  const changed = new Set<string>()
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    await passBoth(scene, SWEEP)
    await service.sweep()
    for (const { id, lost, isStopped } of world.sweep()) {
      changed.add(id)
      if (isStopped) scene.count('a stop goes back to pending')
      scene.count(lost > 1 ? 'lost together' : 'lost')
    }
  }
  await passBoth(scene, rest)
  for (const id of changed) await scene.checkAll(id)
}

function passBoth({ world, service }: Scene, milliseconds: number): Promise<void> {
  world.passForLeases(milliseconds)
  return service.pass(milliseconds)
}
