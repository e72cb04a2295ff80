import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { errorText, given, metrics, resultPath, sometimes, worker } from './arguments.js'
import { GIVEN_TIMES, GOOD_TIMES } from './times.js'

const time = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...GOOD_TIMES, null) },
  { weight: 1, arbitrary: fc.constantFrom(...GIVEN_TIMES) },
)

type PastDraft = NonNullable<ExperimentDraft['attempts']>[number]
type ClosedBy = NonNullable<PastDraft['closed_by']>

const actor = fc.constantFrom('bench-1', null)

/** With what an earlier format has no word for, and without. */
const past: fc.Arbitrary<PastDraft> = fc
  .record({
    always: fc.record({
      attempt: fc.constantFrom(1, 2),
      worker: fc.option(worker),
      status: fc.constantFrom<PastDraft['status'][]>('completed', 'failed', 'failed', 'skipped'),
      failure_kind: fc.constantFrom<PastDraft['failure_kind'][]>(null, 'oom', 'lost', 'interrupted'),
      error: errorText,
      result_path: resultPath,
      started_at: fc.constantFrom(...GOOD_TIMES, null),
      completed_at: fc.constantFrom(...GOOD_TIMES, null),
    }),
    more: fc
      .record({
        actor: sometimes(2, actor),
        metrics: sometimes(2, metrics),
        closed_by: sometimes(2, fc.constantFrom<ClosedBy[]>('start', 'requeue', 'resume', 'pause', 'retry', 'config')),
      })
      .map(given),
  })
  .map(({ always, more }) => ({ ...always, ...more }))

/** How far an experiment that is imported has come: mostly what goes together, now and then what does not. */
export const importedState: fc.Arbitrary<Partial<ExperimentDraft>> = fc
  .record({
    status: fc.constantFrom<Experiment['status'][]>('pending', 'running', 'completed', 'failed', 'skipped'),
    result_path: sometimes(3, resultPath),
    started_at: sometimes(2, time),
    completed_at: sometimes(3, time),
    error: sometimes(3, errorText),
    retry_count: sometimes(3, fc.nat(2)),
    attempt: sometimes(40, fc.nat(2)),
    worker: sometimes(3, fc.option(worker)),
    failure_kind: sometimes(2, fc.constantFrom('oom', 'timeout', 'lost')),
    attempts: sometimes(4, fc.array(past, { maxLength: 2 })),
    ...{ actor: sometimes(4, actor), metrics: sometimes(5, metrics) },
    ...{ failures: sometimes(4, fc.nat(3)), losses: sometimes(4, fc.nat(5)) },
    lease: sometimes(6, fc.constantFrom(null, { seconds: 60, claim_id: 'claim' })),
    revision: sometimes(6, fc.constant(99)),
    contradicts: fc.oneof({ weight: 40, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(({ contradicts, failure_kind, ...one }) => {
    const kind = one.status === 'failed' || contradicts ? failure_kind : undefined
    return given({ ...one, ...(contradicts ? {} : inOrder(one)), failure_kind: kind })
  })

/** The closed attempts one after the other, and the current one behind them. */
function inOrder({ attempts }: { attempts?: PastDraft[] | undefined }): Partial<ExperimentDraft> {
  if (attempts === undefined || attempts.length === 0) return {}
  const numbered = attempts.map((one, index) => ({ ...one, attempt: index + 1 }))
  return { attempts: numbered, attempt: attempts.length + 1, retry_count: attempts.length }
}
