export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function percentile99(values: readonly number[]): number {
  return quantile(values, 0.99)
}

/** NaN when there are no values. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN
}
