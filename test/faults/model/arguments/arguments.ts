/** Values that arguments are made of. Few of each kind, so that they meet. */

import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import type { Choice } from '../world.js'

/** Given in one of so many cases, else left out. */
export function sometimes<T>(outOf: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: outOf - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
}

/** The object without the keys that have no value, as JSON would have it. */
export function given<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

/** One that is there, the first ones more often than the others so that commands meet on them, or one that is not. */
export const anyChoice: fc.Arbitrary<Choice> = fc.record({
  nth: fc.oneof(fc.constant(0), fc.nat(2), fc.nat(99)),
  isAbsent: fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

/** A member that makes a body a wrong one, in one of so many cases. */
export function flaw(outOf: number, ...members: readonly object[]): fc.Arbitrary<object | undefined> {
  return sometimes(outOf, fc.constantFrom(...members))
}

export const worker = fc.constantFrom('gpu-1', 'gpu-2')

/** None so short that it runs out in a run with a real clock. */
export const leaseSeconds = fc.constantFrom(60, 60, 90)

export const resultPath = fc.constantFrom('results/a.json', 'results/b.json', null)

export const metrics = fc.constantFrom({ tokens_per_s: 812.5 }, { tokens_per_s: 900, energy_j: 1.5e4 }, {}, null)

/** Two of them longer than what is kept of a past one, one longer than what is kept at all. */
export const errorText = fc.constantFrom('CUDA out of memory', null, 'trace '.repeat(400), 'line\n'.repeat(2000))

export function chosen(experiments: readonly Experiment[], { nth, isAbsent }: Choice): Experiment | undefined {
  return isAbsent ? undefined : experiments[nth % experiments.length]
}

/** For a path; no experiment is called so where none was chosen. */
export function idOf(experiment: Experiment | undefined): string {
  return experiment?.exp_id ?? 'none'
}

/** What defines the experiment of a number; another variant defines another one of the same id. */
export function definition(number: number, variant: number): ExperimentDraft {
  return {
    exp_id: String(number).padStart(4, '0'),
    config_name: `config ${number % 3}`,
    config_path: `configs/${number % 3}.yaml`,
    config_hash: `${number}-${variant}`,
    backend: number % 2 === 0 ? 'vllm' : 'pytorch',
    container: number % 3 === 0 ? 'big' : 'small',
    cycle_index: number % 4,
  }
}
