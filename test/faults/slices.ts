import { median, percentile99 } from '../support/quantiles.js'
import type { Counts } from './fault.js'

/** By how much the p99 of healthy calls may be longer under attack than in quiet. */
const MOST_SLOWER = 2

/**
 * What healthy calls took in slices of quiet and of attack that take turns. The medians of the p99 of each slice are compared:
 * other load on the machine disturbs both kinds alike, and one slice out of the ordinary decides nothing.
 */
export class Slices {
  private readonly quiet: (readonly number[])[] = []
  private readonly attacked: (readonly number[])[] = []

  /** @param times milliseconds of each healthy call in a slice of quiet */
  addQuiet(times: readonly number[]): void {
    this.quiet.push(times)
  }

  addAttacked(times: readonly number[]): void {
    this.attacked.push(times)
  }

  problems(): string[] {
    const [quiet, attacked] = [usual(this.quiet), usual(this.attacked)]
    if (attacked <= MOST_SLOWER * quiet) return []
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

/** The p99 of a slice in the middle of all. */
function usual(slices: readonly (readonly number[])[]): number {
  return median(slices.map(percentile99))
}
