import type { Measure } from '../row.js'

/** As few as one, only to see a row run: there is no 95 % interval of fewer than six. */
export const PAIRS = Number(process.env['CAMPAIGND_BENCH_PAIRS'] ?? 11)
/** Of a load on one build. */
export const SLICE_SECONDS = Number(process.env['CAMPAIGND_BENCH_SECONDS'] ?? 1.5)
export const WARM_UP_SECONDS = Math.ceil(2 * SLICE_SECONDS)

/** One line of the table. */
export interface ComparedRow {
  /** What it is asked for by. */
  readonly name: string
  readonly title: string
  readonly better: 'more' | 'less'
  readonly words: Measure['words']
}

/** What one slice came to, by the names of the rows. */
export type Figures = Readonly<Record<string, number>>

/** One build of the product, ready to be measured. */
export interface Subject {
  /** What a service is compiled by; not counted. */
  warmUp(): Promise<unknown>
  slice(): Promise<Figures>
  close(): Promise<void>
}

/** One measurement of two builds, which gives one row or more. */
export interface Comparison {
  readonly rows: readonly ComparedRow[]
  /**
   * @param main the entry of a build
   * @param directory an empty one, for what this build keeps
   */
  readonly open: (main: string, directory: string) => Promise<Subject>
}
