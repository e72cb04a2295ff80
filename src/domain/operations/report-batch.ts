import type { Campaign, Decision, Revision } from '../campaign/campaign.ts'
import { DomainError, jsonPointer, within } from '../errors.ts'
import { type Experiment, ExpId } from '../experiment/experiment.ts'
import type { LongWork } from '../long-work.ts'
import { StrictObject } from '../schema.ts'
import { applyReport, findExperiment, momentOf, type ReportOrigin } from './report.ts'
import { type ExperimentReport, reportProperties } from './report-request.ts'

export const ExperimentUpdate = StrictObject(
  { exp_id: ExpId, ...reportProperties },
  { $id: 'ExperimentUpdate', description: 'A report and the experiment that it is about' },
)

interface Refused {
  readonly exp_id: string
  readonly refused: DomainError
}

/** One update of a batch: a report, or why it could not be read. */
export type BatchItem = { readonly exp_id: string; readonly report: ExperimentReport } | Refused

export type BatchResult = { readonly exp_id: string; readonly experiment: Experiment } | Refused

interface ListOrigin extends ReportOrigin {
  /** JSON pointer to the list in the body. */
  readonly pointer: string
  /** What the reports of a repeated call must not touch, by `exp_id`. */
  readonly held?: ReadonlyMap<string, Experiment>
}

interface Judged {
  /** What they change, by `exp_id`. */
  readonly changed: Map<string, Experiment>
  /** One for each report, in their order. */
  readonly results: readonly BatchResult[]
}

/** Decides reports one after the other, each by itself on the results of those before it, all of one revision. */
export function* judgeReports(
  campaign: Campaign,
  items: readonly BatchItem[],
  { pointer, held, ...origin }: ListOrigin,
): LongWork<Judged> {
  const moment = momentOf(campaign, origin)
  const changed = new Map<string, Experiment>()
  const results: BatchResult[] = []
  for (const [index, item] of items.entries()) {
    const { exp_id } = item
    const result = resultOf(item, `${pointer}${jsonPointer(index)}`, (report) => {
      const untouched = held?.get(exp_id)
      if (untouched !== undefined) return untouched
      const before = changed.get(exp_id) ?? findExperiment(campaign, exp_id)
      const after = applyReport(before, report, moment)
      if (after !== before) changed.set(exp_id, after)
      return after
    })
    results.push(result)
    // Each may have a long error.
    yield
  }
  return { changed, results }
}

/**
 * Applies reports in one revision.
 *
 * @param atomic when one is refused, change nothing
 * @returns a result for each update, in their order
 * @throws DomainError `batch-refused` with the results, when atomic
 */
export function* updateBatch(
  campaign: Campaign,
  items: readonly BatchItem[],
  { atomic, ...origin }: ReportOrigin & { readonly atomic: boolean },
): LongWork<Decision<readonly BatchResult[]>> {
  const { changed, results } = yield* judgeReports(campaign, items, { ...origin, pointer: '/updates' })
  if (atomic) refuseUnlessAll(results)
  if (changed.size === 0) return { changes: null, result: results }
  const changes = { at: origin.now, changed: [...changed.values()] }
  const next = yield* campaign.revised(changes)
  return { changes, next, result: next.shrunk === 0 ? results : results.map((result) => asShrunk(result, next)) }
}

function resultOf(item: BatchItem, pointer: string, apply: (report: ExperimentReport) => Experiment): BatchResult {
  const { exp_id } = item
  if ('refused' in item) return { exp_id, refused: within(pointer, item.refused) }
  try {
    return { exp_id, experiment: apply(item.report) }
  } catch (error) {
    if (error instanceof DomainError) return { exp_id, refused: within(pointer, error) }
    throw error
  }
}

/** Each result as it was decided; where an error had to be cut, as the campaign has it, unless that is of a later attempt. */
export function asShrunk(result: BatchResult, { campaign }: Revision): BatchResult {
  if ('refused' in result) return result
  const { exp_id, attempt, status } = result.experiment
  const newest = campaign.get(exp_id)
  return newest?.attempt === attempt && newest.status === status ? { exp_id, experiment: newest } : result
}

function refuseUnlessAll(results: readonly BatchResult[]): void {
  const refused = results.filter((result) => 'refused' in result).length
  if (refused === 0) return
  const detail = `${refused} of ${results.length} updates are refused, so none was made.`
  throw new DomainError('batch-refused', detail, { results })
}
