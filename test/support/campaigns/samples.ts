import { readFileSync } from 'node:fs'

export const SAMPLES = [
  '01_uat_fresh_9_all_pending',
  '02_shuffled_18_failed_interrupted',
  '03_shuffled_18_resumed_then_crashed',
  '05_two_configs_5_cycles_completed',
  '07_duplicate_config_names',
] as const

export const TORN_SAMPLE = 'invalid/corrupt_by_two_writers'

/** A manifest as the Python tool wrote it. */
export function sampleText(name: (typeof SAMPLES)[number] | typeof TORN_SAMPLE): string {
  return readFileSync(new URL(`../../samples/${name}.json`, import.meta.url), 'utf8')
}
