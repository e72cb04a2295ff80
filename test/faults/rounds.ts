import type { Counts, Findings } from './fault.js'

/** Plays rounds, so many at the same time since each mostly waits, and adds up what they found. */
export async function playRounds(
  count: number,
  atOnce: number,
  play: (round: number) => Promise<Findings>,
): Promise<Findings> {
  const counts: Record<string, number> = { rounds: count }
  const problems: string[] = []
  for (let begun = 0; begun < count; begun += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, count - begun) }, (_, index) => play(begun + index))
    for (const found of await Promise.all(batch)) {
      addCounts(counts, found.counts)
      problems.push(...found.problems)
    }
  }
  return { counts, problems }
}

export function addCounts(counts: Record<string, number>, more: Counts): void {
  for (const [what, count] of Object.entries(more)) counts[what] = (counts[what] ?? 0) + count
}
