import type { BenchedWorker } from '../api/calls.ts'
import { counted, dateTime, shortClock, timeOf } from '../model/format.ts'

interface Props {
  readonly benched: readonly BenchedWorker[]
  readonly open: (expId: string) => void
}

/** Who gets nothing for a while, until when and why. */
export function BenchedWorkers({ benched, open }: Props) {
  if (benched.length === 0) return null
  return (
    <ul class="benched" aria-label="Benched workers">
      {benched.map((one) => (
        <li key={one.worker}>
          <strong>{one.worker}</strong> is benched until{' '}
          <time dateTime={one.benched_until} title={dateTime(timeOf(one.benched_until))}>
            {shortClock(timeOf(one.benched_until) ?? 0)}
          </time>
          : its last {one.failures === 1 ? 'run' : counted(one.failures, 'run')} failed,{' '}
          {one.failures === 1 ? 'at' : 'the newest at'}{' '}
          <button type="button" class="chip" onClick={() => open(one.exp_id)}>
            {one.exp_id}
          </button>{' '}
          ({one.failure_kind})
        </li>
      ))}
    </ul>
  )
}
