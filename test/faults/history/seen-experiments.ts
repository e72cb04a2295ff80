import { isDeepStrictEqual } from 'node:util'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { Seen } from './history.js'

/** Keeps one copy of each experiment as it was at a revision: the reads of a history repeat them a thousand times. */
export class SeenExperiments {
  private readonly kept = new Map<string, Seen<Experiment>>()

  keep(experiment: Experiment): Seen<Experiment> {
    const key = `${experiment.exp_id} ${experiment.revision}`
    const known = this.kept.get(key)
    if (known !== undefined && isDeepStrictEqual(known.content, experiment)) return known
    const seen = { revision: experiment.revision, content: experiment }
    if (known === undefined) this.kept.set(key, seen)
    return seen
  }
}
