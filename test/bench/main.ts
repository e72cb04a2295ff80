import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkDist } from '../support/current-dist.js'
import { comparisonsWith } from './against/compare-builds.js'
import { PAIRS, SLICE_SECONDS } from './against/comparison.js'
import { hasWrk } from './load/wrk.js'
import { ratios } from './ratios.js'
import { ROUNDS, SECONDS } from './row.js'
import { printTable } from './table.js'

/**
 * `npm run bench` measures this build against baselines, and `npm run bench -- --against DIR` against the build of another
 * checkout; names of rows after that choose some. Ends with 1 when a row could not be measured, misses its goal or is worse.
 */

checkDist()

const { values, positionals: names } = parseArgs({ options: { against: { type: 'string' } }, allowPositionals: true })
const main = values.against === undefined ? null : resolve(values.against, 'dist/main.js')
if (main !== null && !existsSync(main)) refuse(`There is no ${main}: build that checkout first.`)
const table = main === null ? ratios : comparisonsWith(main)
const known = table.measurements.flatMap(({ lines }) => lines.map(({ name }) => name))
const unknown = names.filter((name) => !known.includes(name))
if (unknown.length > 0) refuse(`There is no row ${unknown.join(', ')}. Rows: ${known.join(', ')}.`)
const ofPairs = `${PAIRS} pairs of ${SLICE_SECONDS} s; ratios above 1: this build is better`
const slices = main === null ? `${ROUNDS} rounds of ${SECONDS} s` : ofPairs
const tool = `load by ${hasWrk ? 'wrk' : 'autocannon'}`
console.log(
  `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}; ${tool}; ${slices}\n`,
)
if (!(await printTable(table, names))) process.exitCode = 1

function refuse(reason: string): never {
  console.error(reason)
  process.exit(2)
}
