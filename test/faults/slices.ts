import { median, percentile99 } from '../support/quantiles.js'
import type { Counts } from './fault.js'

/** By how much the p99 of healthy calls may be longer under attack than in quiet. */
const MOST_SLOWER = 2

/** Milliseconds of healthy calls in alternating slices of quiet and attack, compared by the medians of their p99. */
export class Slices {
  /** Of each slice the milliseconds of each healthy call. */
  readonly quiet: (readonly number[])[] = []
  readonly attacked: (readonly number[])[] = []

  /** @param mostSlower by how much the p99 may be longer */
  problems(mostSlower = MOST_SLOWER): string[] {
    const [quiet, attacked] = [usual(this.quiet), usual(this.attacked)]
    if (attacked <= mostSlower * quiet) return []
    return [`the p99 of healthy calls was ${attacked.toFixed(1)} ms under attack, and ${quiet.toFixed(1)} in quiet`]
  }

  counts(): Counts {
    return {
      'healthy calls in quiet': this.quiet.flat().length,
      'under attack': this.attacked.flat().length,
      'ms p99 in quiet': Math.round(usual(this.quiet)),
      'ms p99 under attack': Math.round(usual(this.attacked)),
    }
  }
}

function usual(slices: readonly (readonly number[])[]): number {
  return median(slices.map(percentile99))
}
