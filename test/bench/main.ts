import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkDist } from '../support/current-dist.js'
import { compareBuilds, COMPARED_NAMES } from './against/compare-builds.js'
import { PAIRS, SLICE_SECONDS } from './against/comparison.js'
import { hasWrk } from './load/wrk.js'
import { compareWithBaselines, RATIO_NAMES } from './ratios.js'
import { ROUNDS, SECONDS } from './row.js'

/**
 * `npm run bench` measures this build against baselines, and `npm run bench -- --against DIR` against the build of another
 * checkout; names of rows after that choose some. Ends with 1 when a row could not be measured, misses its goal or is worse.
 */

checkDist()

const { values, positionals: names } = parseArgs({ options: { against: { type: 'string' } }, allowPositionals: true })
const { against } = values
checkNames(against === undefined ? RATIO_NAMES : COMPARED_NAMES)
const machine = `node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`
const tool = `load by ${hasWrk ? 'wrk' : 'autocannon'}`
if (against === undefined) {
  console.log(`${machine}; ${ROUNDS} rounds of ${SECONDS} s; ${tool}\n`)
  finish(await compareWithBaselines(names))
} else {
  const main = resolve(against, 'dist/main.js')
  if (!existsSync(main)) refuse(`There is no ${main}: build that checkout first.`)
  console.log(`${machine}; ${PAIRS} pairs of ${SLICE_SECONDS} s; ${tool}; ratios above 1: this build is better\n`)
  finish(await compareBuilds(main, names))
}

function checkNames(known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) refuse(`There is no row ${unknown.join(', ')}. Rows: ${known.join(', ')}.`)
}

function refuse(reason: string): never {
  console.error(reason)
  process.exit(2)
}

function finish(isGood: boolean): void {
  if (!isGood) process.exitCode = 1
}
