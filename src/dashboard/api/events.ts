/** What events say. Their schemas are in src/live/event-data.ts. */

import type { Experiment } from '../../domain/experiment/experiment.ts'
import type { Progress } from '../../domain/views/progress.ts'

export interface ChangeEvent {
  readonly revision: number
  readonly previous_revision: number
  readonly progress: Progress
  readonly experiments: readonly Experiment[]
}

export interface SnapshotEvent {
  readonly revision: number
  readonly progress: Progress
  readonly reset?: boolean
}

export interface CampaignChangeEvent {
  readonly campaign_id: string
  readonly revision: number
  readonly progress: Progress
}

export interface CampaignGoneEvent {
  readonly campaign_id: string
}
