import { describe, expect, test } from 'vitest'
import { checkHistory } from './check-history.js'
import type { Operation, Rule, State } from './history.js'
import {
  answered,
  type Content,
  historyOf,
  INITIAL,
  lost,
  read,
  type Report,
  report,
  type ReportOutcome,
  seen,
  state,
} from './small-campaign.js'

function rulesBroken(finalState: State<Content>, ...operations: readonly Operation<Content, Report>[]): Rule[] {
  return checkHistory(historyOf(operations), finalState).map(({ rule }) => rule)
}

const A_CHANGED = state(2, { a: [2, 'x'], b: [1, ''] })
const A_THEN_B = state(3, { a: [2, 'x'], b: [3, 'y'] })

describe('a history is accepted', () => {
  test('with changes, a repeat, a refusal and reads, some at once', () => {
    const stale: ReportOutcome = { kind: 'refused', code: 'stale', seen: seen(2, 'x') }
    const operations = [
      answered([0, 10], 'a', 'x', 2),
      answered([5, 15], 'b', 'y', 3),
      answered([11, 14], 'a', 'x', 2),
      report([12, 16], 'a', { value: 'z', fence: 7 }, stale),
      read([1, 4], INITIAL),
      read([12, 13], A_CHANGED),
      read([14, 20], A_THEN_B),
    ]
    expect(checkHistory(historyOf(operations), A_THEN_B)).toEqual([])
  })

  test('when a lost operation happened and its repeat was answered with it', () => {
    const shown = A_CHANGED
    expect(rulesBroken(shown, lost(0, 'a', 'x'), read([5, 6], shown), answered([7, 8], 'a', 'x', 2))).toEqual([])
  })

  test('when of two lost ones that fit only one leaves the other for where it is needed', () => {
    const operations = [
      lost(0, 'a', 'x'),
      lost(0, 'b', 'y'),
      answered([5, 6], 'a', 'z', 3),
      read([7, 8], state(3, { a: [3, 'z'], b: [1, ''] })),
      answered([9, 10], 'b', 'w', 5),
    ]
    expect(rulesBroken(state(5, { a: [3, 'z'], b: [5, 'w'] }), ...operations)).toEqual([])
  })
})

describe('a history is refused for an order', () => {
  test('when an update is lost', () => {
    const operations = [answered([0, 1], 'a', 'x', 2), answered([2, 3], 'b', 'y', 3)]
    expect(rulesBroken(state(3, { a: [1, ''], b: [3, 'y'] }), ...operations)).toEqual(['lost-update'])
    expect(rulesBroken(A_CHANGED, ...operations)).toEqual(['lost-update'])
  })

  test('when a read is stale', () => {
    const late = read([5, 6], INITIAL)
    expect(rulesBroken(A_THEN_B, answered([0, 1], 'a', 'x', 2), answered([0, 9], 'b', 'y', 3), late)).toEqual(['stale'])
  })

  test('when a refusal was decided on what is known to be old', () => {
    const outcome: ReportOutcome = { kind: 'refused', code: 'stale', seen: seen(1, '') }
    const late = report([5, 6], 'a', { value: 'z', fence: 7 }, outcome)
    expect(rulesBroken(A_THEN_B, answered([0, 1], 'a', 'x', 2), answered([0, 9], 'b', 'y', 3), late)).toEqual(['stale'])
  })

  test('when a read shows what began after it', () => {
    const early = read([0, 1], A_CHANGED)
    expect(rulesBroken(A_THEN_B, early, answered([5, 6], 'a', 'x', 2), answered([7, 8], 'b', 'y', 3))).toEqual([
      'early',
    ])
  })

  test('when a pair is in the wrong order', () => {
    expect(rulesBroken(A_THEN_B, answered([5, 6], 'a', 'x', 2), answered([0, 1], 'b', 'y', 3))).toEqual(['order'])
  })

  test('when a repeat is answered from a state that was never durable', () => {
    const repeated = [lost(0, 'a', 'x'), answered([1, 2], 'a', 'x', 2)]
    expect(rulesBroken(INITIAL, ...repeated)).toEqual(['lost-update'])
    const reused = answered([5, 6], 'b', 'y', 2)
    expect(rulesBroken(state(2, { a: [1, ''], b: [2, 'y'] }), ...repeated, reused)).toContain('duplicate-revision')
    const done = answered([7, 8], 'a', 'x', 2)
    expect(rulesBroken(A_CHANGED, ...repeated, read([5, 6], INITIAL), done)).toEqual(['stale'])
  })
})

describe('a history is refused for a revision', () => {
  test('that is there twice', () => {
    const both = [answered([0, 9], 'a', 'x', 2), answered([0, 9], 'b', 'y', 2)]
    expect(rulesBroken(A_CHANGED, ...both)).toContain('duplicate-revision')
    const ofOne = [answered([0, 9], 'a', 'x', 2), answered([0, 9], 'a', 'y', 2)]
    expect(rulesBroken(A_CHANGED, ...ofOne)).toContain('duplicate-revision')
    const take: Report = { value: 'x', takesOver: true }
    const outcome: ReportOutcome = { kind: 'answered', seen: { revision: 2, content: { value: 'x', fence: 1 } } }
    const takes = [report([0, 9], 'a', take, outcome), report([0, 9], 'a', take, outcome)]
    const taken: State<Content> = {
      revision: 2,
      experiments: new Map([...INITIAL.experiments, ['a', { revision: 2, content: { value: 'x', fence: 1 } }]]),
    }
    expect(rulesBroken(taken, ...takes)).toEqual(['duplicate-revision'])
    expect(rulesBroken(taken, ...takes.slice(1))).toEqual([])
  })

  test('that a lost operation would have had to make twice', () => {
    const operations = [lost(0, 'a', 'x'), read([5, 6], A_CHANGED), answered([7, 8], 'a', 'z', 3)]
    expect(rulesBroken(state(3, { a: [3, 'z'], b: [1, ''] }), ...operations)).toEqual([])
    expect(rulesBroken(state(4, { a: [4, 'x'], b: [1, ''] }), ...operations)).toEqual(['unexplained-revision'])
  })

  test('that a lost operation would have had to make after it no longer could', () => {
    const operations = [lost(0, 'a', 'x', 4), read([5, 6], INITIAL)]
    expect(rulesBroken(A_CHANGED, ...operations)).toEqual(['unexplained-revision'])
  })

  test('that no operation made', () => {
    expect(rulesBroken(state(3, { a: [3, 'x'], b: [1, ''] }), answered([0, 1], 'a', 'x', 3))).toEqual([
      'unexplained-revision',
    ])
    expect(rulesBroken(A_CHANGED)).toEqual(['unexplained-revision'])
    expect(rulesBroken(state(2, { a: [1, ''], b: [1, ''] }), lost(0, 'a', 'x'))).toEqual(['unexplained-revision'])
  })
})

describe('a history is refused for an answer', () => {
  test('when a read shows a revision without a change that it has', () => {
    const torn = read([0, 9], state(3, { a: [1, ''], b: [3, 'y'] }))
    expect(rulesBroken(state(4, { a: [2, 'x'], b: [4, 'z'] }), answered([0, 9], 'a', 'x', 2), torn)).toContain(
      'torn-read',
    )
  })

  test('when an answer is not founded in what it shows', () => {
    const outcome: ReportOutcome = { kind: 'refused', code: 'stale', seen: seen(1, '') }
    expect(rulesBroken(INITIAL, report([0, 1], 'a', { value: 'x', fence: 0 }, outcome))).toEqual(['unfounded-answer'])
    const ignored = report([0, 1], 'a', 'x', { kind: 'answered', seen: seen(1, '') })
    expect(rulesBroken(INITIAL, ignored)).toEqual(['unfounded-answer'])
  })

  test('when the content is not what the report makes of it', () => {
    const wrong = report([0, 1], 'a', 'x', { kind: 'answered', seen: seen(2, 'y') })
    expect(rulesBroken(state(2, { a: [2, 'y'], b: [1, ''] }), wrong)).toEqual(['content'])
  })
})
