/** What events say. Their schemas are in src/live/event-data.ts and src/live/heartbeats. */

import type { Experiment } from '../../domain/experiment/experiment.ts'
import type { RunProgress } from '../../domain/experiment/run-progress.ts'
import type { Progress } from '../../domain/views/progress.ts'

export interface ChangeEvent {
  readonly revision: number
  readonly previous_revision: number
  readonly progress: Progress
  readonly experiments: readonly Experiment[]
  /** Of a large change, which comes in several events; the last one completes it. */
  readonly part?: number
  readonly parts?: number
}

export interface SnapshotEvent {
  readonly revision: number
  readonly progress: Progress
  readonly reset?: boolean
}

/** What heartbeats told of runs. */
export interface HeartbeatEvent {
  readonly experiments: readonly RunNews[]
}

export interface RunNews extends RunProgress {
  readonly exp_id: string
  readonly attempt: number
}

export interface CampaignChangeEvent {
  readonly campaign_id: string
  readonly revision: number
  readonly progress: Progress
}

export interface CampaignGoneEvent {
  readonly campaign_id: string
}
