import { CONFIDENCE, type Interval } from './median-interval.js'

/** A loss, or a gain, that counts. */
const WORSE_BELOW = 0.95
const BETTER_ABOVE = 1.05

export type Verdict = 'worse' | 'same' | 'better' | 'too few pairs'

/** Only a whole interval tells: one that reaches to the other side of the mark may be chance. */
export function verdictOf({ low, high, confidence }: Interval): Verdict {
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
