import { isBreak, type LongWork } from '../long-work.ts'
import type { Experiment } from './experiment.ts'

const NO_ATTEMPTS: Experiment['attempts'] = []
Object.freeze(NO_ATTEMPTS)

/**
 * Lets new experiments share equal texts, which keeps the heap small. Most texts equal those of the experiment before, so
 * that is compared first.
 */
export function* shareRepeated(experiments: readonly Experiment[]): LongWork<void> {
  const texts = new Map<string, string>()
  const shared = (text: string, before: string | null | undefined): string => {
    if (text === before) return before
    const known = texts.get(text)
    if (known !== undefined) return known
    texts.set(text, text)
    return text
  }
  const sharedOrNull = (text: string | null, before: string | null | undefined) =>
    text === null ? null : shared(text, before)
  let before: Experiment | undefined
  for (const [position, experiment] of experiments.entries()) {
    experiment.config_name = shared(experiment.config_name, before?.config_name)
    experiment.config_path = shared(experiment.config_path, before?.config_path)
    experiment.config_hash = shared(experiment.config_hash, before?.config_hash)
    experiment.backend = shared(experiment.backend, before?.backend)
    experiment.container = shared(experiment.container, before?.container)
    experiment.worker = sharedOrNull(experiment.worker, before?.worker)
    experiment.started_at = sharedOrNull(experiment.started_at, before?.started_at)
    experiment.completed_at = sharedOrNull(experiment.completed_at, before?.completed_at)
    if (experiment.attempts.length === 0) experiment.attempts = NO_ATTEMPTS
    before = experiment
    if (isBreak(position)) yield
  }
}
