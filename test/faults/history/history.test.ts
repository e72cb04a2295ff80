import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkHistory,
  type History,
  type Operation,
  type ReadOperation,
  type ReportOperation,
  type Rule,
  type Seen,
  type State,
  type Verdict,
} from './history.js'

/** The smallest campaign that has all kinds of answers: a value, and a fence that moves on when somebody takes over. */
interface Content {
  readonly value: string
  readonly fence: number
}

interface Report {
  readonly value: string
  readonly fence?: number
  readonly takesOver?: boolean
}

type ReportOutcome = ReportOperation<Content, Report>['outcome']

function decide(before: Content, { value, fence, takesOver = false }: Report): Verdict<Content> {
  if (fence !== undefined && fence !== before.fence) return { kind: 'refused', code: 'stale' }
  const after = { value, fence: before.fence + Number(takesOver) }
  return isDeepStrictEqual(after, before) ? { kind: 'same' } : { kind: 'changed', content: after }
}

/** `{ a: [3, 'x'] }`: the experiment a was last changed by revision 3, to the value x. */
function state(revision: number, experiments: Readonly<Record<string, readonly [number, string]>>): State<Content> {
  return { revision, experiments: new Map(Object.entries(experiments).map(([id, given]) => [id, seen(...given)])) }
}

function seen(revision: number, value: string): Seen<Content> {
  return { revision, content: { value, fence: 0 } }
}

const INITIAL = state(1, { a: [1, ''], b: [1, ''] })

function report(
  [start, end]: readonly [number, number],
  expId: string,
  given: string | Report,
  outcome: ReportOutcome,
): ReportOperation<Content, Report> {
  return { kind: 'report', client: 1, start, end, expId, report: asReport(given), outcome }
}

function asReport(given: string | Report): Report {
  return typeof given === 'string' ? { value: given } : given
}

/** A report that was answered with itself as the revision. */
function answered(interval: readonly [number, number], expId: string, value: string, revision: number) {
  return report(interval, expId, value, { kind: 'answered', seen: seen(revision, value) })
}

function lost(start: number, expId: string, value: string, end = Infinity) {
  return report([start, end], expId, value, { kind: 'lost' })
}

function read([start, end]: readonly [number, number], shown: State<Content>): ReadOperation<Content> {
  return { kind: 'read', client: 2, start, end, outcome: { kind: 'answered', state: shown } }
}

function historyOf(operations: readonly Operation<Content, Report>[], initial = INITIAL): History<Content, Report> {
  return { initial, operations, decide, matches: isDeepStrictEqual }
}

function rulesBroken(finalState: State<Content>, ...operations: readonly Operation<Content, Report>[]): Rule[] {
  return checkHistory(historyOf(operations), finalState).map(({ rule }) => rule)
}

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
      read([12, 13], state(2, { a: [2, 'x'], b: [1, ''] })),
      read([14, 20], A_THEN_B),
    ]
    expect(checkHistory(historyOf(operations), A_THEN_B)).toEqual([])
  })

  test('when nothing happened', () => {
    expect(rulesBroken(INITIAL)).toEqual([])
  })

  test('when reads of overlapping changes see either', () => {
    const overlapping = [answered([0, 30], 'a', 'x', 2), answered([0, 30], 'b', 'y', 3)]
    expect(rulesBroken(A_THEN_B, ...overlapping, read([10, 20], A_THEN_B))).toEqual([])
    expect(rulesBroken(A_THEN_B, ...overlapping, read([10, 20], INITIAL))).toEqual([])
  })

  test('when a lost operation did not happen', () => {
    expect(
      rulesBroken(state(2, { a: [1, ''], b: [2, 'y'] }), lost(0, 'a', 'x'), answered([5, 6], 'b', 'y', 2)),
    ).toEqual([])
  })

  test('when a lost operation did happen, seen or not', () => {
    expect(rulesBroken(A_THEN_B, lost(0, 'a', 'x'), answered([5, 6], 'b', 'y', 3))).toEqual([])
    const overwritten = state(3, { a: [3, 'z'], b: [1, ''] })
    expect(rulesBroken(overwritten, lost(0, 'a', 'x'), answered([5, 6], 'a', 'z', 3))).toEqual([])
  })

  test('when a lost operation happened and its repeat was answered with it', () => {
    const shown = state(2, { a: [2, 'x'], b: [1, ''] })
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

describe('a history is refused', () => {
  test('when an update is lost', () => {
    const operations = [answered([0, 1], 'a', 'x', 2), answered([2, 3], 'b', 'y', 3)]
    expect(rulesBroken(state(3, { a: [1, ''], b: [3, 'y'] }), ...operations)).toEqual(['lost-update'])
    expect(rulesBroken(state(2, { a: [2, 'x'], b: [1, ''] }), ...operations)).toEqual(['lost-update'])
  })

  test('when a read is stale', () => {
    const late = read([5, 6], INITIAL)
    expect(rulesBroken(A_THEN_B, answered([0, 1], 'a', 'x', 2), answered([0, 9], 'b', 'y', 3), late)).toEqual(['stale'])
  })

  test('when a refusal is judged on what is known to be old', () => {
    const outcome: ReportOutcome = { kind: 'refused', code: 'stale', seen: seen(1, '') }
    const late = report([5, 6], 'a', { value: 'z', fence: 7 }, outcome)
    expect(rulesBroken(A_THEN_B, answered([0, 1], 'a', 'x', 2), answered([0, 9], 'b', 'y', 3), late)).toEqual(['stale'])
  })

  test('when a read shows what began after it', () => {
    const early = read([0, 1], state(2, { a: [2, 'x'], b: [1, ''] }))
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
    expect(rulesBroken(state(2, { a: [2, 'x'], b: [1, ''] }), ...repeated, read([5, 6], INITIAL), done)).toEqual([
      'stale',
    ])
  })

  test('when a revision is there twice', () => {
    const both = [answered([0, 9], 'a', 'x', 2), answered([0, 9], 'b', 'y', 2)]
    expect(rulesBroken(state(2, { a: [2, 'x'], b: [1, ''] }), ...both)).toContain('duplicate-revision')
    const ofOne = [answered([0, 9], 'a', 'x', 2), answered([0, 9], 'a', 'y', 2)]
    expect(rulesBroken(state(2, { a: [2, 'x'], b: [1, ''] }), ...ofOne)).toContain('duplicate-revision')
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

  test('when a lost operation would have had to happen twice', () => {
    const operations = [
      lost(0, 'a', 'x'),
      read([5, 6], state(2, { a: [2, 'x'], b: [1, ''] })),
      answered([7, 8], 'a', 'z', 3),
    ]
    expect(rulesBroken(state(3, { a: [3, 'z'], b: [1, ''] }), ...operations)).toEqual([])
    expect(rulesBroken(state(4, { a: [4, 'x'], b: [1, ''] }), ...operations)).toEqual(['unexplained-revision'])
  })

  test('when a lost operation would have had to happen after it no longer could', () => {
    const operations = [lost(0, 'a', 'x', 4), read([5, 6], INITIAL)]
    expect(rulesBroken(state(2, { a: [2, 'x'], b: [1, ''] }), ...operations)).toEqual(['unexplained-revision'])
  })

  test('when a revision is nobody’s', () => {
    expect(rulesBroken(state(3, { a: [3, 'x'], b: [1, ''] }), answered([0, 1], 'a', 'x', 3))).toEqual([
      'unexplained-revision',
    ])
    expect(rulesBroken(state(2, { a: [2, 'x'], b: [1, ''] }))).toEqual(['unexplained-revision'])
    expect(rulesBroken(state(2, { a: [1, ''], b: [1, ''] }), lost(0, 'a', 'x'))).toEqual(['unexplained-revision'])
  })

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

/** One operation of a random execution: it takes effect at an instant of its own, its interval reaches around that. */
interface Command {
  readonly kind: 'report' | 'repeat' | 'read'
  readonly exp: number
  readonly fence: number
  readonly takesOver: boolean
  readonly before: number
  readonly after: number
  readonly fate: 'answered' | 'lost-and-done' | 'lost'
}

interface Execution {
  readonly history: History<Content, Report>
  /** The campaign at each revision. */
  readonly states: ReadonlyMap<number, State<Content>>
  readonly finalState: State<Content>
}

const COMMAND = fc.record<Command>({
  kind: fc.constantFrom('report', 'report', 'report', 'repeat', 'read'),
  exp: fc.nat(2),
  fence: fc.nat(3),
  takesOver: fc.boolean(),
  before: fc.nat(25),
  after: fc.nat(25),
  fate: fc.constantFrom('answered', 'answered', 'answered', 'answered', 'lost-and-done', 'lost'),
})

const EXECUTION = fc.array(COMMAND, { minLength: 1, maxLength: 40, size: 'max' }).map(execute)

function execute(commands: readonly Command[]): Execution {
  const initial = state(1, { e0: [1, ''], e1: [1, ''], e2: [1, ''] })
  const states = new Map([[1, initial]])
  const operations: Operation<Content, Report>[] = []
  let current = initial
  for (const [index, command] of commands.entries()) {
    const instant = (index + 1) * 10
    const interval = { client: index, start: instant - command.before, end: instant + command.after }
    if (command.kind === 'read') {
      operations.push({ kind: 'read', ...interval, outcome: { kind: 'answered', state: current } })
      continue
    }
    const { expId, report } = asked(command, index, operations)
    const [after, outcome] = command.fate === 'lost' ? [current, LOST] : judge(current, expId, report)
    current = after
    states.set(current.revision, current)
    const isLost = command.fate !== 'answered'
    operations.push({
      kind: 'report',
      ...interval,
      end: isLost ? Infinity : interval.end,
      expId,
      report,
      outcome: isLost ? LOST : outcome,
    })
  }
  return { history: historyOf(operations, initial), states, finalState: current }
}

const LOST = { kind: 'lost' } as const

function asked(command: Command, index: number, operations: readonly Operation<Content, Report>[]) {
  const earlier = operations.findLast((one) => one.kind === 'report')
  if (command.kind === 'repeat' && earlier !== undefined) return { expId: earlier.expId, report: earlier.report }
  const { exp, fence, takesOver } = command
  // Half of them do not care about the fence.
  const report: Report = { value: `v${index}`, takesOver, ...(fence < 2 ? { fence } : {}) }
  return { expId: `e${exp}`, report }
}

function judge(current: State<Content>, expId: string, report: Report): [State<Content>, ReportOutcome] {
  const before = current.experiments.get(expId) ?? seen(0, '')
  const verdict = decide(before.content, report)
  if (verdict.kind === 'refused') return [current, { ...verdict, seen: before }]
  if (verdict.kind === 'same') return [current, { kind: 'answered', seen: before }]
  const after = { revision: current.revision + 1, content: verdict.content }
  const experiments = new Map([...current.experiments, [expId, after] as const])
  return [
    { revision: after.revision, experiments },
    { kind: 'answered', seen: after },
  ]
}

type Answered = ReportOperation<Content, Report> & { readonly outcome: { kind: 'answered'; seen: Seen<Content> } }

/** The answered changes whose reports were made once only, so that no other operation can stand in for them. */
function uniqueChanges({ history: { operations } }: Execution): Answered[] {
  const reports = operations.filter((one) => one.kind === 'report')
  return reports.filter(
    (one): one is Answered =>
      one.outcome.kind === 'answered' && reports.filter(({ report }) => report.value === one.report.value).length === 1,
  )
}

function withOperations(execution: Execution, operations: readonly Operation<Content, Report>[]): Execution {
  return { ...execution, history: { ...execution.history, operations } }
}

function replace(
  execution: Execution,
  ...pairs: readonly (readonly [Operation<Content, Report>, Operation<Content, Report>])[]
) {
  const replaced = new Map(pairs)
  return withOperations(
    execution,
    execution.history.operations.map((one) => replaced.get(one) ?? one),
  )
}

/** Every way to drop an acknowledged update from the state at the end: the one that it shows of an experiment. */
function dropped(execution: Execution): Execution[] {
  const { finalState, states } = execution
  return uniqueChanges(execution).flatMap(
    ({
      expId,
      outcome: {
        seen: { revision },
      },
    }) => {
      const before = states.get(revision - 1)?.experiments.get(expId)
      if (before === undefined || finalState.experiments.get(expId)?.revision !== revision) return []
      const experiments = new Map([...finalState.experiments, [expId, before] as const])
      return [{ ...execution, finalState: { ...finalState, experiments } }]
    },
  )
}

/** Every way to swap the revisions of two changes of which one was answered before the other began. */
function swapped(execution: Execution): Execution[] {
  const changes = uniqueChanges(execution)
  return changes.flatMap((first) =>
    changes
      .filter((second) => first.end < second.start)
      .map((second) => {
        const [a, b] = [first.outcome.seen, second.outcome.seen]
        return replace(
          execution,
          [first, { ...first, outcome: { kind: 'answered', seen: { ...a, revision: b.revision } } }],
          [second, { ...second, outcome: { kind: 'answered', seen: { ...b, revision: a.revision } } }],
        )
      }),
  )
}

/** Every way to make a read show a state that is older than an answer from before it began. */
function stale(execution: Execution): Execution[] {
  const { operations } = execution.history
  return operations.flatMap((one) => {
    if (one.kind !== 'read') return []
    const known = operations.map((other) => (other.end < one.start ? revisionShown(other) : 0))
    const older = [...execution.states.values()].filter(({ revision }) => revision < Math.max(...known))
    return older.map((shown) => replace(execution, [one, { ...one, outcome: { kind: 'answered', state: shown } }]))
  })
}

function revisionShown({ outcome }: Operation<Content, Report>): number {
  if (outcome.kind === 'lost') return 0
  return 'state' in outcome ? outcome.state.revision : outcome.seen.revision
}

describe('random executions', () => {
  test('are accepted as they are', () => {
    fc.assert(
      fc.property(EXECUTION, ({ history, finalState }) => {
        expect(checkHistory(history, finalState)).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['without an acknowledged update at the end', dropped],
    ['with two revisions swapped', swapped],
    ['with a read of an older revision', stale],
  ])('are refused %s', (_, corrupt) => {
    let corrupted = 0
    fc.assert(
      fc.property(EXECUTION, (execution) => {
        for (const { history, finalState } of corrupt(execution)) {
          corrupted += 1
          expect(checkHistory(history, finalState)).not.toEqual([])
        }
      }),
      { numRuns: 200 },
    )
    expect(corrupted).toBeGreaterThan(200)
  })
})
