import { isDeepStrictEqual } from 'node:util'
import type { History, Operation, ReadOperation, ReportOperation, Seen, State, Verdict } from './history.js'

/** The smallest campaign that has all kinds of answers: a value, and a fence that moves on when a report takes over. */
export interface Content {
  readonly value: string
  readonly fence: number
}

export interface Report {
  readonly value: string
  readonly fence?: number
  readonly takesOver?: boolean
}

export type ReportOutcome = ReportOperation<Content, Report>['outcome']

export function decide(before: Content, { value, fence, takesOver = false }: Report): Verdict<Content> {
  if (fence !== undefined && fence !== before.fence) return { kind: 'refused', code: 'stale' }
  const after = { value, fence: before.fence + Number(takesOver) }
  return isDeepStrictEqual(after, before) ? { kind: 'same' } : { kind: 'changed', content: after }
}

/** `{ a: [3, 'x'] }`: the experiment a was last changed by revision 3, to the value x. */
export function state(
  revision: number,
  experiments: Readonly<Record<string, readonly [number, string]>>,
): State<Content> {
  return { revision, experiments: new Map(Object.entries(experiments).map(([id, given]) => [id, seen(...given)])) }
}

export function seen(revision: number, value: string): Seen<Content> {
  return { revision, content: { value, fence: 0 } }
}

export const INITIAL = state(1, { a: [1, ''], b: [1, ''] })

export function report(
  [start, end]: readonly [number, number],
  expId: string,
  given: string | Report,
  outcome: ReportOutcome,
): ReportOperation<Content, Report> {
  return {
    kind: 'report',
    client: 1,
    start,
    end,
    expId,
    report: typeof given === 'string' ? { value: given } : given,
    outcome,
  }
}

/** A report that was answered with itself as the revision. */
export function answered(interval: readonly [number, number], expId: string, value: string, revision: number) {
  return report(interval, expId, value, { kind: 'answered', seen: seen(revision, value) })
}

export function lost(start: number, expId: string, value: string, end = Infinity) {
  return report([start, end], expId, value, { kind: 'lost' })
}

export function read([start, end]: readonly [number, number], shown: State<Content>): ReadOperation<Content> {
  return { kind: 'read', client: 2, start, end, outcome: { kind: 'answered', state: shown } }
}

export function historyOf(
  operations: readonly Operation<Content, Report>[],
  initial = INITIAL,
): History<Content, Report> {
  return { initial, operations, decide, matches: isDeepStrictEqual }
}
