/**
 * What clients did to one campaign and how it was answered, and whether one order of it all explains every reply. No general
 * search is needed, since the revisions give the order of the changes: each was made by one operation, answered or lost,
 * between its start and its end; what was seen at a revision is the fold of the operations up to it.
 * A decision that changes something changes one experiment: batches are not covered.
 */

export interface Seen<C> {
  /** The revision of the campaign that last changed it. */
  readonly revision: number
  readonly content: C
}

export interface State<C> {
  readonly revision: number
  readonly experiments: ReadonlyMap<string, Seen<C>>
}

/** Instants are of one monotonic clock. */
interface Interval {
  readonly client: number
  readonly start: number
  /** When its answer was there. Of a lost one: until when it can have happened, Infinity when that is not known. */
  readonly end: number
}

/** A report on one experiment; a lost one happened once in its interval, or never. */
export interface ReportOperation<C, R> extends Interval {
  readonly kind: 'report'
  readonly expId: string
  readonly report: R
  readonly outcome:
    | { readonly kind: 'answered'; readonly seen: Seen<C> }
    | { readonly kind: 'refused'; readonly code: string; readonly seen: Seen<C> }
    | { readonly kind: 'lost' }
}

/** A read of the whole campaign. A lost one says nothing. */
export interface ReadOperation<C> extends Interval {
  readonly kind: 'read'
  readonly outcome: { readonly kind: 'answered'; readonly state: State<C> } | { readonly kind: 'lost' }
}

export type Operation<C, R> = ReportOperation<C, R> | ReadOperation<C>

/** What becomes of a report on an experiment, one at a time and without faults. */
export type Verdict<C> =
  | { readonly kind: 'changed'; readonly content: C }
  | { readonly kind: 'same' }
  | { readonly kind: 'refused'; readonly code: string }

export interface History<C, R> {
  readonly initial: State<C>
  readonly operations: readonly Operation<C, R>[]
  decide(before: C, report: R): Verdict<C>
  /** Whether what was seen is what `decide` says, apart from what it cannot know, such as times of the server. */
  matches(decided: C, seen: C): boolean
}

/**
 * - `duplicate-revision`: two changes have one revision
 * - `unexplained-revision`: a revision that no operation can have made, or that none of the lost ones is left for
 * - `content`: an experiment at a revision is not what its operations make of it
 * - `lost-update`: the state at the end is without a change that an answer showed
 * - `torn-read`: a read shows a revision without all the changes up to it
 * - `unfounded-answer`: a refusal, or an answer that nothing changed, which the content shown does not justify
 * - `stale`: an answer older than one that was there before its operation began
 * - `early`: a read of a change whose operation began after the read ended
 * - `order`: of two changes, one answered before the other began, the later one has the lower revision
 */
export type Rule =
  | 'duplicate-revision'
  | 'unexplained-revision'
  | 'content'
  | 'lost-update'
  | 'torn-read'
  | 'unfounded-answer'
  | 'stale'
  | 'early'
  | 'order'

export interface Violation {
  readonly rule: Rule
  readonly message: string
}

export function nameOf({ kind, client, start, end, ...rest }: Operation<unknown, unknown>): string {
  const what = 'expId' in rest ? `${kind} ${JSON.stringify(rest.report)} on ${rest.expId}` : kind
  return `the ${what} by client ${client} from ${start.toFixed(3)} to ${end.toFixed(3)} (${rest.outcome.kind})`
}
