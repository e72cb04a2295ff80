import { hash } from 'node:crypto'
import { Name } from '../schema.ts'
import type { Experiment } from './experiment.ts'

const BYTES = 16

export const RunId = Name({
  minLength: 1,
  maxLength: 64,
  description:
    'Names one attempt of one experiment in one life of the campaign: a run of a campaign that was deleted and made again has ' +
    'another. A name, not a secret',
  examples: ['q3VZ5x0nGm0eJt1b2cJp0A'],
})

/** @param uid of the campaign */
export function runIdOf(uid: string, { exp_id, attempt }: Pick<Experiment, 'exp_id' | 'attempt'>): string {
  return hash('sha256', JSON.stringify([uid, exp_id, attempt]), 'buffer').toString('base64url', 0, BYTES)
}

/** The current run of the experiment; null while it is pending, and when it was never started. */
export function currentRunId(uid: string, experiment: Experiment): string | null {
  return experiment.status === 'pending' || experiment.attempt === 0 ? null : runIdOf(uid, experiment)
}
