import fc from 'fast-check'
import type { Experiment, PastAttempt } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { errorText, given, resultPath, sometimes, worker } from './arguments.js'
import { GIVEN_TIMES, GOOD_TIMES } from './times.js'

const time = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom(...GOOD_TIMES, null) },
  { weight: 1, arbitrary: fc.constantFrom(...GIVEN_TIMES) },
)

const past: fc.Arbitrary<PastAttempt> = fc.record({
  attempt: fc.constantFrom(1, 2),
  worker: fc.option(worker),
  status: fc.constantFrom('completed', 'failed', 'skipped'),
  failure_kind: fc.constantFrom(null, 'oom'),
  error: errorText,
  result_path: resultPath,
  started_at: fc.constantFrom(...GOOD_TIMES, null),
  completed_at: fc.constantFrom(...GOOD_TIMES, null),
})

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
    attempts: sometimes(6, fc.array(past, { maxLength: 2 })),
    lease: sometimes(6, fc.constantFrom(null, { seconds: 60, claim_id: 'claim' })),
    revision: sometimes(6, fc.constant(99)),
    contradicts: fc.oneof({ weight: 40, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(({ contradicts, failure_kind, ...one }) => {
    const kind = one.status === 'failed' || contradicts ? failure_kind : undefined
    return given({ ...one, failure_kind: kind })
  })
