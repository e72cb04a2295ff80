import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { EXPERIMENT_STATUSES } from '#campaignd/domain/experiment/status.js'
import { anyChoice, given, sometimes, worker } from '../../arguments/arguments.js'
import { Refused } from '../../campaign/refused.js'
import { inPages, pathOf, problem } from '../../scene.js'
import { command } from '../command.js'

export const listExperiments = command({
  name: 'list-experiments',
  weight: 30,
  arguments: fc.record({
    campaign: anyChoice,
    status: sometimes(3, fc.array(fc.constantFrom(...EXPERIMENT_STATUSES), { minLength: 1, maxLength: 3 })),
    remaining: sometimes(4, fc.boolean()),
    equal: fc
      .record({
        backend: sometimes(5, fc.constantFrom('vllm', 'pytorch', 'none')),
        container: sometimes(6, fc.constantFrom('big', 'small')),
        config_name: sometimes(6, fc.constantFrom('config 0', 'config 1')),
        cycle_index: sometimes(6, fc.nat(3)),
        worker: sometimes(6, worker),
      })
      .map(given),
    limit: sometimes(2, fc.integer({ min: 1, max: 3 })),
  }),
  run: (scene, { campaign, status, remaining, equal, limit }) => {
    const id = scene.world.choose(campaign)
    const known = scene.world.campaigns.get(id)
    const query = new URLSearchParams()
    for (const one of status ?? []) query.append('status', one)
    for (const [key, value] of Object.entries(given({ remaining, ...equal }))) query.set(key, String(value))
    const path = `${pathOf(id)}/experiments`
    if (status !== undefined && remaining !== undefined) {
      const call = { method: 'GET', path: `${path}?${query.toString()}` } as const
      return scene.ask(call, problem(new Refused(400, 'invalid'))).then(() => undefined)
    }
    const all = known?.experiments.filter(
      (one) =>
        status?.includes(one.status) !== false &&
        (remaining === undefined || remaining === (one.status === 'pending' || one.status === 'failed')) &&
        Object.entries(equal).every(([key, value]) => one[key as keyof Experiment] === value),
    )
    return inPages(scene, { path, query, limit, key: 'experiments', all, tagOf: { campaign: id } })
  },
})
