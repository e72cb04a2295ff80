import { median } from '../../support/quantiles.js'

const CONFIDENCE = 0.95

export interface Interval {
  readonly low: number
  readonly middle: number
  readonly high: number
  /** How sure it is that the true median lies within: less than asked when there are too few values. */
  readonly confidence: number
}

/**
 * The median of values and its 95 % interval by Hettmansperger and Sheather: between the two pairs of order statistics whose
 * exact confidence, of the sign test, lies above and below that. It asks nothing of the distribution, and is the same each time.
 * Of too few values it is their whole range, at the confidence that this has.
 */
export function medianInterval(values: readonly number[]): Interval {
  const sorted = [...values].sort((a, b) => a - b)
  const count = sorted.length
  const at = (rank: number) => sorted[rank - 1] ?? Number.NaN
  const middle = median(sorted)
  const rank = outerRank(count)
  const outer = confidenceOf(rank, count)
  if (outer <= CONFIDENCE) return { low: at(rank), middle, high: at(count + 1 - rank), confidence: outer }
  const share = (outer - CONFIDENCE) / (outer - confidenceOf(rank + 1, count))
  const inward = ((count - rank) * share) / (rank + (count - 2 * rank) * share)
  const between = (from: number, to: number) => from + inward * (to - from)
  return {
    low: between(at(rank), at(rank + 1)),
    middle,
    high: between(at(count + 1 - rank), at(count - rank)),
    confidence: CONFIDENCE,
  }
}

/** The innermost rank whose interval is at least as sure as asked; 1 when none is. */
function outerRank(count: number): number {
  let rank = 1
  while (confidenceOf(rank + 1, count) >= CONFIDENCE) rank += 1
  return rank
}

/** Of the interval from the value of this rank to the one as far from the other end. */
function confidenceOf(rank: number, count: number): number {
  let below = 0
  let ways = 1
  for (let heads = 0; heads < rank; heads += 1) {
    below += ways
    ways = (ways * (count - heads)) / (heads + 1)
  }
  return 1 - (2 * below) / 2 ** count
}

/** A loss, or a gain, that counts. */
const WORSE_BELOW = 0.95
const BETTER_ABOVE = 1.05

/** Only a whole interval tells: one that reaches to the other side of the mark may be chance. */
export function verdictOf({ low, high, confidence }: Interval): 'worse' | 'same' | 'better' | 'too few pairs' {
  if (confidence < CONFIDENCE) return 'too few pairs'
  if (high < WORSE_BELOW) return 'worse'
  return low > BETTER_ABOVE ? 'better' : 'same'
}

/** Above 1 is better for this build. */
export function ratioFor(better: 'more' | 'less', ours: number, theirs: number): number {
  const ratio = better === 'more' ? ours / theirs : theirs / ours
  if (!Number.isFinite(ratio)) throw new Error(`${ours} and ${theirs} cannot be compared`)
  return ratio
}
