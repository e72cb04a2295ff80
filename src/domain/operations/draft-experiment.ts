import { invalid, jsonPointer } from '../errors.ts'
import { usedInHistory } from '../experiment/budgets.ts'
import { keepTail, MAX_ERROR_BYTES, MAX_PAST_ERROR_BYTES } from '../experiment/error-text.ts'
import { type Experiment, type PastAttempt, retryCount } from '../experiment/experiment.ts'
import { shareRepeated } from '../experiment/repeated-values.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { readTime } from '../timestamp.ts'
import type { ExperimentDraft } from './draft.ts'
import { refuseLongMetrics } from './report-request.ts'

interface Drafting {
  readonly revision: number
  readonly timezone: string
  /** JSON pointer of the draft in the body, for errors. */
  readonly pointer: string
}

/**
 * Experiments from their drafts.
 * @throws DomainError `invalid` for an id given twice, and for fields of a draft that contradict each other
 */
export function* draftExperiments(drafts: readonly ExperimentDraft[], drafting: Drafting): LongWork<Experiment[]> {
  const firstUse = new Map<string, number>()
  const experiments: Experiment[] = []
  for (const [index, draft] of drafts.entries()) {
    const pointer = `${drafting.pointer}${jsonPointer(index)}`
    const earlier = firstUse.get(draft.exp_id)
    if (earlier !== undefined) {
      const detail = `is ${JSON.stringify(draft.exp_id)} as in ${drafting.pointer}/${earlier}, but must be unique`
      throw invalid({ pointer: `${pointer}/exp_id`, detail })
    }
    firstUse.set(draft.exp_id, index)
    experiments.push(draftExperiment(draft, { ...drafting, pointer }))
    if (isBreak(index)) yield
  }
  yield* shareRepeated(experiments)
  return experiments
}

function draftExperiment(draft: ExperimentDraft, { revision, timezone, pointer }: Drafting): Experiment {
  const status = draft.status ?? 'pending'
  const attempt = attemptOf(draft, pointer)
  refuseLongMetrics(draft.metrics ?? null, `${pointer}/metrics`)
  const failure_kind = failureKindOf(draft, pointer)
  const attempts = pastAttempts(draft, timezone, pointer)
  refuseDisorder(attempts, { status, attempt, pointer })
  const used = usedInHistory({ current: { status, failure_kind }, attempt, attempts })
  return {
    exp_id: draft.exp_id,
    config_name: draft.config_name,
    config_path: draft.config_path,
    config_hash: draft.config_hash,
    backend: draft.backend,
    container: draft.container,
    cycle_index: draft.cycle_index,
    status,
    result_path: draft.result_path ?? null,
    ...draftTimes(draft, timezone, pointer),
    error: tailOf(draft.error ?? null, MAX_ERROR_BYTES),
    retry_count: retryCount(attempt),
    attempt,
    revision,
    worker: draft.worker ?? null,
    actor: draft.actor ?? null,
    failure_kind,
    lease: null,
    metrics: draft.metrics ?? null,
    failures: draft.failures ?? used.failures,
    losses: draft.losses ?? used.losses,
    attempts,
  }
}

function pastAttempts({ attempts = [] }: ExperimentDraft, timezone: string, pointer: string): PastAttempt[] {
  return attempts.map((past, index) => {
    const at = `${pointer}${jsonPointer('attempts', index)}`
    refuseLongMetrics(past.metrics ?? null, `${at}/metrics`)
    return {
      attempt: past.attempt,
      worker: past.worker,
      actor: past.actor ?? null,
      status: past.status,
      failure_kind: past.failure_kind,
      error: tailOf(past.error, MAX_PAST_ERROR_BYTES),
      result_path: past.result_path,
      metrics: past.metrics ?? null,
      ...draftTimes(past, timezone, at),
      closed_by: past.closed_by ?? null,
    }
  })
}

interface Current {
  readonly status: Experiment['status']
  readonly attempt: number
  readonly pointer: string
}

/** Closed attempts ascend, and are earlier than the current one; a pending or skipped experiment may have none that is current. */
function refuseDisorder(attempts: readonly PastAttempt[], { status, attempt, pointer }: Current): void {
  const hasCurrent = status !== 'pending' && status !== 'skipped'
  let least = 1
  for (const [index, past] of attempts.entries()) {
    const most = hasCurrent ? attempt - 1 : attempt
    if (past.attempt >= least && past.attempt <= most) least = past.attempt + 1
    else {
      const detail = `is ${past.attempt}: closed attempts must ascend, and be ${hasCurrent ? 'before' : 'at most'} attempt ${attempt}`
      throw invalid({ pointer: `${pointer}${jsonPointer('attempts', index, 'attempt')}`, detail })
    }
  }
}

function tailOf(error: string | null, limit: number): string | null {
  return error === null ? null : keepTail(error, limit)
}

/** Files of the Python tool count retries, not starts: there is one start more, unless it was never started. */
function attemptOf({ status, attempt, retry_count, started_at }: ExperimentDraft, pointer: string): number {
  const mayBeUnstarted = status === undefined || status === 'pending' || status === 'skipped'
  if (attempt === undefined) {
    const neverStarted = mayBeUnstarted && (started_at ?? null) === null && (retry_count ?? 0) === 0
    return neverStarted ? 0 : (retry_count ?? 0) + 1
  }
  if (attempt === 0 && !mayBeUnstarted) {
    throw invalid({ pointer: `${pointer}/attempt`, detail: `is 0, but a ${status} experiment has been started` })
  }
  if (retry_count !== undefined && retry_count !== retryCount(attempt)) {
    const detail = `is ${attempt}, which makes ${retryCount(attempt)} retries and not a retry_count of ${retry_count}`
    throw invalid({ pointer: `${pointer}/attempt`, detail })
  }
  return attempt
}

function failureKindOf({ status, failure_kind }: ExperimentDraft, pointer: string): Experiment['failure_kind'] {
  if (status === 'failed') return failure_kind ?? 'error'
  if ((failure_kind ?? null) === null) return null
  const detail = `is ${failure_kind}, but the experiment is ${status ?? 'pending'} and not failed`
  throw invalid({ pointer: `${pointer}/failure_kind`, detail })
}

type Times = Pick<ExperimentDraft, 'started_at' | 'completed_at'>

function draftTimes(times: Times, timezone: string, pointer: string) {
  const read = (field: keyof Times, notBefore: string | null) => {
    const text = times[field] ?? null
    return text === null ? null : readTime(text, timezone, `${pointer}/${field}`, notBefore)
  }
  const started_at = read('started_at', null)
  return { started_at, completed_at: read('completed_at', started_at) }
}
