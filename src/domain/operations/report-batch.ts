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

export interface BatchOrigin extends ReportOrigin {
  readonly atomic: boolean
  readonly pointer: string
}

/**
 * Applies reports one after the other, each decided by itself on the results of those before it, all in one revision.
 *
 * @param atomic when one is refused, change nothing
 * @param pointer JSON pointer to the list in the body
 * @returns a result for each update, in their order
 * @throws DomainError `batch-refused` with the results, when atomic
 */
export function* updateBatch(
  campaign: Campaign,
  items: readonly BatchItem[],
  { atomic, pointer, ...origin }: BatchOrigin,
): LongWork<Decision<readonly BatchResult[]>> {
  const moment = momentOf(campaign, origin)
  const changed = new Map<string, Experiment>()
  const results: BatchResult[] = []
  for (const [index, item] of items.entries()) {
    const { exp_id } = item
    const result = resultOf(item, `${pointer}${jsonPointer(index)}`, (report) => {
      const before = changed.get(exp_id) ?? findExperiment(campaign, exp_id)
      const after = applyReport(before, report, moment)
      if (after !== before) changed.set(exp_id, after)
      return after
    })
    results.push(result)
    // Each may have a long error.
    yield
  }
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

/** Each result as it was decided; where an error had to be cut, as the campaign has it. */
export function asShrunk(result: BatchResult, { campaign }: Revision): BatchResult {
  return 'refused' in result ? result : { ...result, experiment: campaign.get(result.exp_id) ?? result.experiment }
}

function refuseUnlessAll(results: readonly BatchResult[]): void {
  const refused = results.filter((result) => 'refused' in result).length
  if (refused === 0) return
  const detail = `${refused} of ${results.length} updates are refused, so none was made.`
  throw new DomainError('batch-refused', detail, { results })
}
