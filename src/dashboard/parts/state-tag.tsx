import type { CampaignState } from '../../domain/campaign/campaign-state.ts'

const MEANINGS: Readonly<Record<CampaignState, string>> = {
  corrupt: 'Its file cannot be trusted',
  completed: 'All is completed or skipped',
  paused: 'Nothing is handed out',
  running: 'Something runs',
  failed: 'It has ended, and some failed',
  idle: 'It has begun, and nothing runs',
  pending: 'Nothing was started yet',
}

/** The state of a campaign. */
export function StateTag({ state }: { readonly state: CampaignState }) {
  return (
    <span class={`state-tag ${state}`} title={MEANINGS[state]}>
      {state}
    </span>
  )
}
