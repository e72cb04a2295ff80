import type { CampaignState } from '../../domain/campaign/campaign-state.ts'

const MEANINGS: Readonly<Record<CampaignState, string>> = {
  corrupt: 'Its file is corrupt',
  completed: 'Every experiment is completed or skipped',
  paused: 'No experiment can be claimed',
  running: 'At least one experiment is running',
  failed: 'Every experiment has ended, and some failed',
  idle: 'It has started, and no experiment is running',
  pending: 'No experiment has started',
}

/** The state of a campaign. */
export function StateTag({ state }: { readonly state: CampaignState }) {
  return (
    <span class={`state-tag ${state}`} title={MEANINGS[state]}>
      {state}
    </span>
  )
}
