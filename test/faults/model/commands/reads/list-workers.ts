import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { anyChoice, sometimes } from '../../arguments/arguments.js'
import { benchedIn } from '../../campaign/bench-model.js'
import { inPages, pathOf, type Scene } from '../../scene.js'
import { command } from '../command.js'

export const listWorkers = command({
  name: 'list-workers',
  weight: 30,
  arguments: fc.record({ campaign: anyChoice, limit: sometimes(2, fc.integer({ min: 1, max: 2 })) }),
  run: (scene, { campaign, limit }) => readWorkers(scene, scene.world.choose(campaign), limit),
})

export function readWorkers(scene: Scene, id: string, limit?: number): Promise<void> {
  const known = scene.world.campaigns.get(id)
  const running = known?.experiments.filter(({ status }) => status === 'running')
  const all = running?.map((one) => workerOf(scene, id, one))
  const path = `${pathOf(id)}/workers`
  const benched = known === undefined ? [] : benchedIn(known, scene.world.now)
  return inPages(scene, { path, query: new URLSearchParams(), limit, key: 'workers', all, beside: { benched } })
}

function workerOf({ world }: Scene, id: string, experiment: Experiment): object {
  const { worker, exp_id, config_name, backend, container, cycle_index, attempt, started_at, lease } = experiment
  return {
    ...{ worker, exp_id, config_name, backend, container, cycle_index, attempt, started_at },
    lease_seconds: lease?.seconds ?? null,
    lease_expires_at: lease === null ? null : world.leaseEndOf(id, experiment),
    seconds_since_heartbeat: lease === null ? null : world.idleFor(id, experiment) / 1000,
    ...world.toldOf(id, experiment),
  }
}
