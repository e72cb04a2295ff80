import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkHistory } from './check-history.js'
import type { History, Operation, ReportOperation, Seen, State } from './history.js'
import { type Content, decide, historyOf, type Report, type ReportOutcome, seen, state } from './small-campaign.js'

interface Execution {
  readonly history: History<Content, Report>
  readonly states: ReadonlyMap<number, State<Content>>
  readonly finalState: State<Content>
}

/** One operation of a random execution: it takes effect at an instant of its own, its interval reaches around that. */
const COMMAND = fc.record({
  kind: fc.constantFrom('report', 'report', 'report', 'repeat', 'read'),
  exp: fc.nat(2),
  fence: fc.nat(3),
  takesOver: fc.boolean(),
  before: fc.nat(25),
  after: fc.nat(25),
  fate: fc.constantFrom('answered', 'answered', 'answered', 'answered', 'lost-and-done', 'lost'),
})

type Command = typeof COMMAND extends fc.Arbitrary<infer C> ? C : never

const EXECUTION = fc.array(COMMAND, { maxLength: 40, size: 'max' }).map(execute)

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
    const [after, outcome] = command.fate === 'lost' ? [current, LOST] : outcomeOf(current, expId, report)
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
  // Half of them name no fence.
  const report: Report = { value: `v${index}`, takesOver, ...(fence < 2 ? { fence } : {}) }
  return { expId: `e${exp}`, report }
}

function outcomeOf(current: State<Content>, expId: string, report: Report): [State<Content>, ReportOutcome] {
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

function replace(
  execution: Execution,
  ...pairs: readonly (readonly [Operation<Content, Report>, Operation<Content, Report>])[]
) {
  const replaced = new Map(pairs)
  const operations = execution.history.operations.map((one) => replaced.get(one) ?? one)
  return { ...execution, history: { ...execution.history, operations } }
}

/** Every way to drop an acknowledged update from the state at the end: the one that it shows of an experiment. */
function dropped(execution: Execution): Execution[] {
  const { finalState, states } = execution
  return uniqueChanges(execution).flatMap(({ expId, outcome }) => {
    const { revision } = outcome.seen
    const before = states.get(revision - 1)?.experiments.get(expId)
    if (before === undefined || finalState.experiments.get(expId)?.revision !== revision) return []
    const experiments = new Map([...finalState.experiments, [expId, before] as const])
    return [{ ...execution, finalState: { ...finalState, experiments } }]
  })
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
