import { setTimeout as sleep } from 'node:timers/promises'
import { median, percentile99 } from '../support/quantiles.js'
import type { Counts } from './fault.js'

/** By how much the p99 of healthy calls may be longer under attack than in quiet. */
const MOST_SLOWER = 2
/** Milliseconds that are not counted: what runs for the first time is slow. */
const WARM_UP = 1_000

/** Milliseconds of healthy calls in alternating slices of quiet and attack, compared by the medians of their p99. */
export class Slices {
  private times: number[] = []
  private readonly quiet: (readonly number[])[] = []
  private readonly attacked: (readonly number[])[] = []

  /** A healthy call took so long. */
  add(milliseconds: number): void {
    this.times.push(milliseconds)
  }

  async warmUp(): Promise<void> {
    await sleep(WARM_UP)
    this.times = []
  }

  async rest(milliseconds: number): Promise<void> {
    await sleep(milliseconds)
    this.endOf(this.quiet)
  }

  endOfAttack(): void {
    this.endOf(this.attacked)
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

  private endOf(slices: (readonly number[])[]): void {
    slices.push(this.times)
    this.times = []
  }
}

function usual(slices: readonly (readonly number[])[]): number {
  return median(slices.map(percentile99))
}
