import { isDeepStrictEqual } from 'node:util'
import {
  type History,
  nameOf,
  type Operation,
  type ReportOperation,
  type Rule,
  type Seen,
  type State,
  type Violation,
} from './history.js'

/** An instant before or after which something must have been made, and the operation that says so. */
export interface Bound {
  readonly instant: number
  readonly role: 'made' | 'saw' | 'read'
  readonly by: Operation<unknown, unknown> | null
}

/** An experiment at one of its revisions, which an answer shows. */
export interface Point<C, R> {
  readonly expId: string
  readonly revision: number
  readonly content: C
  /** The last revision of the campaign at which the experiment was seen to be still so. */
  heldUntil: number
  heldBy: string
  /** The latest start of a report that was decided on it: what changed it came later. */
  lastStart: Bound
  /** The reports that were answered with it: one of them, or a lost one, made it, the others repeated what was known. */
  readonly answered: ReportOperation<C, R>[]
  /** Those of them that would change it again, so that they cannot have been repeats. */
  readonly makers: ReportOperation<C, R>[]
}

/** All that the answers of a history tell, sorted for the fold. */
export interface Evidence<C, R> {
  readonly initialRevision: number
  readonly finalRevision: number
  readonly points: ReadonlyMap<string, readonly Point<C, R>[]>
  /** What is known of each revision after the initial one. */
  readonly byRevision: ReadonlyMap<number, Point<C, R>>
  /** By revision: when it was there at the latest. */
  readonly upper: readonly Bound[]
  /** By revision: the latest start of a read that shows the campaign at it. */
  readonly readStart: ReadonlyMap<number, Bound>
  readonly violations: readonly Violation[]
}

export const ALWAYS: Bound = { instant: -Infinity, role: 'saw', by: null }
export const NEVER: Bound = { instant: Infinity, role: 'saw', by: null }

/** Collects what the answers tell, and finds what is wrong with single answers or with two of one experiment. */
export function gatherEvidence<C, R>(history: History<C, R>, finalState: State<C>): Evidence<C, R> {
  return new Gathering(history, finalState).evidence()
}

class Gathering<C, R> {
  private readonly points = new Map<string, Map<number, Point<C, R>>>()
  private readonly byRevision = new Map<number, Point<C, R>>()
  private readonly ends = new Map<number, Bound>()
  private readonly readStart = new Map<number, Bound>()
  private readonly violations: Violation[] = []

  constructor(
    private readonly history: History<C, R>,
    private readonly finalState: State<C>,
  ) {
    for (const [expId, seen] of history.initial.experiments) {
      const point = pointOf<C, R>(expId, seen)
      this.points.set(expId, new Map([[seen.revision, point]]))
    }
    this.addState(history.initial, 'the state at the beginning')
    this.addState(finalState, 'the state at the end')
    for (const operation of history.operations) this.add(operation)
  }

  evidence(): Evidence<C, R> {
    const points = new Map<string, Point<C, R>[]>()
    for (const [expId, all] of this.points) {
      const sorted = [...all.values()].sort((a, b) => a.revision - b.revision)
      this.checkHeld(sorted)
      points.set(expId, sorted)
    }
    const { byRevision, readStart, violations } = this
    const initialRevision = this.history.initial.revision
    const finalRevision = this.finalState.revision
    return { initialRevision, finalRevision, points, byRevision, upper: this.upper(), readStart, violations }
  }

  private add(operation: Operation<C, R>): void {
    const { outcome } = operation
    if (outcome.kind === 'lost') return
    if (operation.kind === 'report') this.addReport(operation)
    else if ('state' in outcome) {
      const { revision } = outcome.state
      this.addEnd(revision, { instant: operation.end, role: 'read', by: operation })
      const start: Bound = { instant: operation.start, role: 'read', by: operation }
      this.readStart.set(revision, later(this.readStart.get(revision) ?? ALWAYS, start))
      this.addState(outcome.state, nameOf(operation))
    }
  }

  private addReport(operation: ReportOperation<C, R>): void {
    const { expId, outcome } = operation
    if (outcome.kind === 'lost') return
    const { seen } = outcome
    const point = this.see(expId, seen, nameOf(operation))
    if (point === undefined) return
    this.addEnd(seen.revision, { instant: operation.end, role: 'saw', by: operation })
    point.lastStart = later(point.lastStart, { instant: operation.start, role: 'saw', by: operation })
    const verdict = this.history.decide(seen.content, operation.report)
    if (outcome.kind === 'refused') {
      if (verdict.kind !== 'refused' || verdict.code !== outcome.code) {
        this.found('unfounded-answer', `${nameOf(operation)} got ${outcome.code}, but it should be ${verdict.kind}`)
      }
      return
    }
    point.answered.push(operation)
    if (verdict.kind === 'same') return
    point.makers.push(operation)
    if (seen.revision <= this.history.initial.revision) {
      this.found('unfounded-answer', `${nameOf(operation)} was answered with what was there before`)
    } else if (point.makers.length === 2) {
      const names = point.makers.map(nameOf).join(' and ')
      this.found('duplicate-revision', `${names} both changed something as revision ${seen.revision}`)
    }
  }

  private addState(state: State<C>, by: string): void {
    if (state.experiments.size !== this.history.initial.experiments.size) {
      this.found('content', `${by} shows ${state.experiments.size} experiments`)
    }
    if (state.revision > this.finalState.revision) {
      this.found('lost-update', `${by} shows revision ${state.revision}; the last is ${this.finalState.revision}`)
    }
    for (const [expId, seen] of state.experiments) {
      const point = this.see(expId, seen, by)
      if (seen.revision > state.revision) this.found('torn-read', `${by} shows ${expId} at ${seen.revision}`)
      if (point === undefined || state.revision <= point.heldUntil) continue
      point.heldUntil = state.revision
      point.heldBy = by
    }
  }

  private see(expId: string, seen: Seen<C>, by: string): Point<C, R> | undefined {
    const known = this.points.get(expId)?.get(seen.revision)
    if (known === undefined) return this.seeFirst(expId, seen, by)
    if (!isDeepStrictEqual(known.content, seen.content)) {
      this.found(
        'duplicate-revision',
        `${by} shows ${expId} at revision ${seen.revision} other than another answer showed it`,
      )
    }
    return known
  }

  private seeFirst(expId: string, seen: Seen<C>, by: string): Point<C, R> | undefined {
    const { revision } = seen
    const ofExperiment = this.points.get(expId)
    const other = this.byRevision.get(revision)
    const shows = `${by} shows ${expId} at revision ${revision}`
    if (ofExperiment === undefined) this.found('content', `${shows}, but there is no such experiment`)
    else if (revision <= this.history.initial.revision) this.found('content', `${shows}, which it never had`)
    else if (revision > this.finalState.revision) {
      this.found('lost-update', `${shows}; the last is ${this.finalState.revision}`)
    } else if (other !== undefined) {
      this.found('duplicate-revision', `${shows}, but that one changed ${other.expId}`)
    } else {
      const point = pointOf<C, R>(expId, seen)
      ofExperiment.set(revision, point)
      this.byRevision.set(revision, point)
      return point
    }
    return undefined
  }

  private addEnd(revision: number, end: Bound): void {
    this.ends.set(revision, earlier(this.ends.get(revision) ?? NEVER, end))
  }

  /** No answer may show an experiment as it was before a change, in a state that is as new as the change. */
  private checkHeld(points: readonly Point<C, R>[]): void {
    for (const [index, { expId, revision, heldUntil, heldBy }] of points.entries()) {
      const next = points[index + 1]
      if (next === undefined || heldUntil < next.revision) continue
      const rule = heldUntil === this.finalState.revision ? 'lost-update' : 'torn-read'
      this.found(rule, `${heldBy} shows ${expId} at revision ${revision}, but ${next.revision} changed it`)
    }
  }

  /** What was there at some instant was there with all revisions before it. */
  private upper(): Bound[] {
    const upper: Bound[] = []
    let bound = NEVER
    for (let revision = this.finalState.revision; revision > this.history.initial.revision; revision -= 1) {
      bound = earlier(this.ends.get(revision) ?? NEVER, bound)
      upper[revision] = bound
    }
    return upper
  }

  private found(rule: Rule, message: string): void {
    this.violations.push({ rule, message })
  }
}

function pointOf<C, R>(expId: string, { revision, content }: Seen<C>): Point<C, R> {
  return {
    expId,
    revision,
    content,
    heldUntil: revision,
    heldBy: 'an answer',
    lastStart: ALWAYS,
    answered: [],
    makers: [],
  }
}

/** The later of two instants; the first when they are one. */
export function later(a: Bound, b: Bound): Bound {
  return b.instant > a.instant ? b : a
}

function earlier(a: Bound, b: Bound): Bound {
  return b.instant < a.instant ? b : a
}
