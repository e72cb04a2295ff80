import { ALWAYS, type Bound, type Evidence, later, NEVER, type Point } from './evidence.js'
import { type History, nameOf, type ReportOperation, type Rule, type Violation } from './history.js'

/** An experiment in the fold; without a point when what made it so was lost and no answer shows it. */
interface ExperimentState<C, R> {
  readonly content: C
  readonly point: Point<C, R> | null
}

export interface Step<C, R> {
  readonly operation: ReportOperation<C, R>
  readonly after: ExperimentState<C, R>
}

export interface Position<C, R> {
  readonly revision: number
  readonly experiments: ReadonlyMap<string, ExperimentState<C, R>>
  readonly used: ReadonlySet<ReportOperation<C, R>>
  /** All revisions so far were made by then, at the earliest. */
  readonly lower: Bound
}

/** What the operations of a history make of its campaign, one revision after the other. */
export class Fold<C, R> {
  private readonly lost = new Map<string, ReportOperation<C, R>[]>()
  /** By revision: how many up to it no answer shows. */
  private readonly hidden: number[] = []

  constructor(
    private readonly history: History<C, R>,
    private readonly evidence: Evidence<C, R>,
  ) {
    for (const operation of history.operations) {
      if (operation.kind !== 'report' || operation.outcome.kind !== 'lost') continue
      this.lost.set(operation.expId, [...(this.lost.get(operation.expId) ?? []), operation])
    }
    let hidden = 0
    for (let revision = evidence.initialRevision + 1; revision <= evidence.finalRevision; revision += 1) {
      if (!evidence.byRevision.has(revision)) hidden += 1
      this.hidden[revision] = hidden
    }
  }

  begin(): Position<C, R> {
    const experiments = new Map<string, ExperimentState<C, R>>()
    for (const [expId, { revision, content }] of this.history.initial.experiments) {
      const point = this.evidence.points.get(expId)?.find((one) => one.revision === revision) ?? null
      experiments.set(expId, { content, point })
    }
    return { revision: this.evidence.initialRevision, experiments, used: new Set(), lower: ALWAYS }
  }

  steps(position: Position<C, R>): Step<C, R>[] {
    return this.stepsAtAnyTime(position).filter((step) => this.isInTime(position, step))
  }

  /** @param keep whether the position before is needed again */
  apply(before: Position<C, R>, step: Step<C, R>, keep: boolean): Position<C, R> {
    const { operation, after } = step
    const experiments = (keep ? new Map(before.experiments) : before.experiments) as Map<string, ExperimentState<C, R>>
    const used = (keep ? new Set(before.used) : before.used) as Set<ReportOperation<C, R>>
    const lower = this.lowerBound(before, step)
    experiments.set(operation.expId, after)
    if (operation.outcome.kind === 'lost') used.add(operation)
    return { revision: before.revision + 1, experiments, used, lower }
  }

  obstacle(position: Position<C, R>): Violation {
    const revision = position.revision + 1
    const point = this.evidence.byRevision.get(revision)
    const [late] = this.stepsAtAnyTime(position)
    if (late !== undefined) return this.lateness(position, late)
    if (point === undefined) {
      return { rule: 'unexplained-revision', message: `revision ${revision} was made by none, answered or lost` }
    }
    const at = `${point.expId} at revision ${revision}, ${JSON.stringify(point.content)}`
    const before = JSON.stringify(position.experiments.get(point.expId)?.content)
    const [answered] = point.makers.length > 0 ? point.makers : point.answered
    if (answered === undefined) {
      return { rule: 'unexplained-revision', message: `none, answered or lost, made ${at} of ${before}` }
    }
    return { rule: 'content', message: `${nameOf(answered)} was shown ${at}, but before it there was ${before}` }
  }

  private stepsAtAnyTime(position: Position<C, R>): Step<C, R>[] {
    const point = this.evidence.byRevision.get(position.revision + 1)
    return point === undefined ? this.hiddenSteps(position) : this.stepsTo(position, point)
  }

  /** Of the answered ones the first to begin is enough: a later one allows no more, as all their ends are bounds anyway. */
  private stepsTo(position: Position<C, R>, point: Point<C, R>): Step<C, R>[] {
    const before = position.experiments.get(point.expId)
    if (before === undefined) return []
    const [answered] = point.answered
      .filter((operation) => this.makes(before.content, operation, point))
      .sort((a, b) => a.start - b.start)
    const lost = point.makers.length > 0 ? [] : this.unused(position, point.expId)
    const makers = lost
      .filter((operation) => this.makes(before.content, operation, point))
      .sort((a, b) => a.end - b.end)
    const operations = answered === undefined ? makers : [answered, ...makers]
    return operations.map((operation) => ({ operation, after: { content: point.content, point } }))
  }

  private makes(before: C, operation: ReportOperation<C, R>, { content, makers }: Point<C, R>): boolean {
    if (makers.some((maker) => maker !== operation)) return false
    const verdict = this.history.decide(before, operation.report)
    return verdict.kind === 'changed' && this.history.matches(verdict.content, content)
  }

  /** Lost operations that may have made a revision that no answer shows. Those that something later needs come first. */
  private hiddenSteps(position: Position<C, R>): Step<C, R>[] {
    const found: { readonly step: Step<C, R>; readonly needed: boolean; readonly next: number }[] = []
    for (const [expId, before] of position.experiments) {
      const unused = this.unused(position, expId)
      const next = this.evidence.points.get(expId)?.find((point) => point.revision > position.revision + 1)
      if (unused.length === 0 || next === undefined) continue
      if (before.point !== null && before.point.heldUntil > position.revision) continue
      const needed = !this.leadsTo(before.content, next, unused, 0)
      const spare = (this.hidden[next.revision] ?? 0) - (this.hidden[position.revision + 1] ?? 0)
      for (const operation of unused) {
        const others = unused.filter((other) => other !== operation)
        const verdict = this.history.decide(before.content, operation.report)
        if (verdict.kind !== 'changed') continue
        if (!this.leadsTo(verdict.content, next, others, spare)) continue
        const step = { operation, after: { content: verdict.content, point: null } }
        found.push({ step, needed, next: next.revision })
      }
    }
    found.sort((a, b) => Number(b.needed) - Number(a.needed) || a.next - b.next)
    return found.map(({ step }) => step)
  }

  /** @param spare how many of the unused may come before the one that makes the point */
  private leadsTo(content: C, point: Point<C, R>, unused: readonly ReportOperation<C, R>[], spare: number): boolean {
    if ([...point.answered, ...unused].some((operation) => this.makes(content, operation, point))) return true
    if (spare === 0) return false
    return unused.some((operation) => {
      const verdict = this.history.decide(content, operation.report)
      const others = unused.filter((other) => other !== operation)
      return verdict.kind === 'changed' && this.leadsTo(verdict.content, point, others, spare - 1)
    })
  }

  /** Lost ones on an experiment that have not happened yet, and can happen now or later. */
  private unused(position: Position<C, R>, expId: string): ReportOperation<C, R>[] {
    const all = this.lost.get(expId) ?? []
    return all.filter((operation) => !position.used.has(operation) && operation.end >= position.lower.instant)
  }

  private isInTime(position: Position<C, R>, step: Step<C, R>): boolean {
    const { instant } = this.lowerBound(position, step)
    return instant <= step.operation.end && instant <= this.upperBound(position).instant
  }

  private lowerBound(position: Position<C, R>, { operation }: Step<C, R>): Bound {
    const seenBefore = position.experiments.get(operation.expId)?.point?.lastStart ?? ALWAYS
    const readBefore = this.evidence.readStart.get(position.revision) ?? ALWAYS
    const began: Bound = { instant: operation.start, role: 'made', by: operation }
    return [seenBefore, readBefore, began].reduce(later, position.lower)
  }

  private upperBound(position: Position<C, R>): Bound {
    return this.evidence.upper[position.revision + 1] ?? NEVER
  }

  private lateness(position: Position<C, R>, step: Step<C, R>): Violation {
    const revision = position.revision + 1
    const lower = this.lowerBound(position, step)
    const upper = this.upperBound(position)
    if (lower.instant <= upper.instant) {
      return {
        rule: 'unexplained-revision',
        message: `revision ${revision} came after ${boundName(lower)} began: too late for ${nameOf(step.operation)}`,
      }
    }
    const message = `revision ${revision} was there when ${boundName(upper)} ended, but not before ${boundName(lower)} began`
    return { rule: ruleOf(lower, upper), message }
  }
}

function ruleOf(lower: Bound, upper: Bound): Rule {
  if (lower.role !== 'made') return 'stale'
  return upper.role === 'read' ? 'early' : 'order'
}

function boundName({ by }: Bound): string {
  return by === null ? 'the beginning' : nameOf(by)
}
