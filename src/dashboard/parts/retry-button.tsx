import { useState } from 'preact/hooks'
import type { Experiment } from '../../domain/experiment/experiment.ts'
import { retryExperiments } from '../api/calls.ts'
import { asProblem } from '../api/problem.ts'
import { counted } from '../model/format.ts'
import { notify, notifyFailure } from './notice.tsx'

interface RetryButtonProps {
  readonly campaignId: string
  readonly experiments: readonly Experiment[]
  readonly label: string
}

/** Puts failed experiments back to pending. */
export function RetryButton({ campaignId, experiments, label }: RetryButtonProps) {
  const [isPending, setPending] = useState(false)
  const submit = async () => {
    setPending(true)
    try {
      const { retried, skipped } = await retryExperiments(campaignId, {
        exp_ids: experiments.map(({ exp_id }) => exp_id),
      })
      const left =
        skipped.length === 0 ? '' : ` ${counted(skipped.length, 'experiment')} skipped: changed in the meantime.`
      notify(`${counted(retried.length, 'experiment')} put back to pending.${left}`)
    } catch (error) {
      notifyFailure('Not put back', asProblem(error))
    } finally {
      setPending(false)
    }
  }
  return (
    <button type="button" class="retry" disabled={isPending} onClick={() => void submit()}>
      {label}
    </button>
  )
}
