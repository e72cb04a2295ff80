/** Of a row that makes up its calls: CAMPAIGND_TEST_SEED repeats those of a run that failed. */
export function seedOfRun(): number {
  return Number(process.env['CAMPAIGND_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
}
