import fc from 'fast-check'

/** Of a row that makes up its calls: CAMPAIGND_TEST_SEED repeats those of a run that failed. */
export function seedOfRun(): number {
  return Number(process.env['CAMPAIGND_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
}

/** Takes a value, by its seed alone. */
export type Draw = <T>(arbitrary: fc.Arbitrary<T>) => T

export function drawsOf(seed: number): Draw {
  const [generate] = fc.sample(fc.gen(), { numRuns: 1, seed })
  if (generate === undefined) throw new Error('there is no generator')
  return (arbitrary) => generate(() => arbitrary)
}

/** From 0 up to, but without, the limit. */
export function below(limit: number): fc.Arbitrary<number> {
  return fc.noBias(fc.nat(limit - 1))
}

/** True in so many of a hundred cases. */
export function chance(draw: Draw, percent: number): boolean {
  return draw(below(100)) < percent
}
