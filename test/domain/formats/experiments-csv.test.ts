import { expect, test } from 'vitest'
import { csvPieces, experimentTable } from '#campaignd/domain/formats/experiments-csv.js'
import { atOnce, type LongWork } from '#campaignd/domain/long-work.js'
import { matchingExperiments } from '#campaignd/domain/views/experiment-list.js'
import { campaignOf } from '../../support/campaigns/drafts.js'

function stepsOf(work: LongWork<unknown>): number {
  let steps = 1
  while (work.next().done !== true) steps += 1
  return steps
}

const EXPERIMENTS = 3000
const METRICS = 900

const campaign = campaignOf(
  Array.from({ length: EXPERIMENTS }, (_, index) => ({
    exp_id: `e${index}`,
    status: 'completed' as const,
    metrics: { [`m${index % METRICS}`]: index },
  })),
)

test('the search for rows and metrics lets others have their turn', () => {
  const all = { equal: {} }
  expect(stepsOf(matchingExperiments(campaign, all))).toBeGreaterThan(EXPERIMENTS / 50)
  const isRow = atOnce(matchingExperiments(campaign, all))
  expect(stepsOf(experimentTable(campaign, isRow))).toBeGreaterThan(EXPERIMENTS / 50)
})

test('a table is made in pieces of which each is short, with no row left out', () => {
  const isRow = atOnce(matchingExperiments(campaign, { equal: {} }))
  const table = atOnce(experimentTable(campaign, isRow))
  expect(table?.metrics.size).toBe(METRICS)
  const pieces = table === null ? [] : [...csvPieces(table)]
  expect(pieces.length).toBeGreaterThan(50)
  for (const piece of pieces) expect(piece.length).toBeLessThan(64 * 1024)
  const [, ...rows] = pieces.join('').trimEnd().split('\r\n')
  expect(rows.map((row) => row.split(',')[0])).toEqual(Array.from({ length: EXPERIMENTS }, (_, index) => `e${index}`))
})
