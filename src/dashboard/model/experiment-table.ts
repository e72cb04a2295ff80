import type { Experiment } from '../../domain/experiment/experiment.ts'
import { timeOf } from './format.ts'
import { type Mark, markOf } from './mark.ts'

/** An experiment with what each view derives from it. */
export interface Row {
  readonly experiment: Experiment
  readonly mark: Mark
  /** Milliseconds; null: not yet, or not known. */
  readonly start: number | null
  readonly end: number | null
}

/** The experiments of a campaign in their order. Changed in place: one commit touches few of them. */
export class ExperimentTable {
  private readonly list: Row[]
  private readonly positions = new Map<string, number>()
  /** Grows when experiments are added: a layout of an older version is stale. */
  layoutVersion = 0

  constructor(experiments: readonly Experiment[]) {
    this.list = experiments.map(rowOf)
    for (const [position, { exp_id }] of experiments.entries()) this.positions.set(exp_id, position)
  }

  get rows(): readonly Row[] {
    return this.list
  }

  get(expId: string): Row | null {
    const position = this.positions.get(expId)
    return position === undefined ? null : (this.list[position] ?? null)
  }

  /** Applies changed and added experiments. */
  apply(experiments: readonly Experiment[]): void {
    for (const experiment of experiments) {
      const position = this.positions.get(experiment.exp_id)
      if (position === undefined) {
        this.positions.set(experiment.exp_id, this.list.length)
        this.list.push(rowOf(experiment))
        this.layoutVersion += 1
      } else if (experiment.revision >= (this.list[position]?.experiment.revision ?? 0)) {
        this.list[position] = rowOf(experiment)
      }
    }
  }
}

function rowOf(experiment: Experiment): Row {
  const start = timeOf(experiment.started_at)
  return { experiment, mark: markOf(experiment), start, end: timeOf(experiment.completed_at) }
}

/** Milliseconds that the current attempt took or has taken; null when that is not known. */
export function timeTaken({ experiment, start, end }: Row, now: number): number | null {
  if (start === null) return null
  if (experiment.status === 'running') return Math.max(0, now - start)
  // A clock that was set back makes durations below zero: they are not known.
  return end === null || end < start ? null : end - start
}
