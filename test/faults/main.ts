/** `npm run test:faults [-- short|middle|full] [-- name ...]`: prints a line for each row, and fails when one does. */

import { checkDist } from '../support/current-dist.js'
import { type Outcome, runFault, type Size } from './fault.js'
import { FAULTS } from './faults.js'

checkDist()

const SIZES: readonly string[] = ['short', 'middle', 'full'] satisfies Size[]

const given = process.argv.slice(2)
const [first = 'full'] = given
const size = (SIZES.includes(first) ? first : 'full') as Size
const names = SIZES.includes(first) ? given.slice(1) : given
const unknown = names.filter((name) => !FAULTS.some((fault) => fault.name === name))
if (unknown.length > 0) {
  throw new Error(`there is no fault ${unknown.join(', ')}; there are ${FAULTS.map(({ name }) => name).join(', ')}`)
}
const chosen = FAULTS.filter(({ name }) => names.length === 0 || names.includes(name))

console.log('| fault | how | result | seconds |')
console.log('| --- | --- | --- | --- |')
const results: Outcome['kind'][] = []
for (const fault of chosen) {
  const began = performance.now()
  const outcome = await runFault(fault, size).catch((error: unknown): Outcome => ({
    kind: 'failed',
    counts: {},
    because: String(error),
  }))
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`| ${fault.name} | ${fault.how} | ${inWords(outcome)} | ${seconds} |`)
  results.push(outcome.kind)
}
const count = (kind: Outcome['kind']) => results.filter((one) => one === kind).length
console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`)
if (count('failed') > 0) process.exitCode = 1

function inWords(outcome: Outcome): string {
  const counts = 'counts' in outcome ? Object.entries(outcome.counts).map(([what, n]) => `${n} ${what}`) : []
  const because = 'because' in outcome ? [outcome.because] : []
  return `**${outcome.kind}**: ${[...counts, ...because].join(', ')}`
}
