import { BenchedWorker } from '../../domain/campaign/benching.ts'
import { CampaignManifest } from '../../domain/campaign/manifest.ts'
import { CampaignManifestEntry } from '../../domain/experiment/experiment.ts'
import { PythonToolManifest } from '../../domain/formats/python-tool-manifest.ts'
import { StudyExperiment, StudyManifest } from '../../domain/formats/study-manifest.ts'
import { ClaimRequest } from '../../domain/operations/claim/claim-request.ts'
import { CampaignDraft, ExperimentDraft } from '../../domain/operations/draft.ts'
import { Heartbeat } from '../../domain/operations/heartbeat.ts'
import { WorkerPatch } from '../../domain/operations/lift-bench.ts'
import { MergeResult } from '../../domain/operations/merge/merge.ts'
import { CampaignPatch } from '../../domain/operations/patch-campaign.ts'
import { ExperimentUpdate } from '../../domain/operations/report-batch.ts'
import { ExperimentReport } from '../../domain/operations/report-request.ts'
import { ResumeRequest } from '../../domain/operations/resume.ts'
import { RetryRequest } from '../../domain/operations/retry.ts'
import { CampaignSummary, CorruptCampaign, ListedCampaign } from '../../domain/views/campaign-list.ts'
import { ExperimentWithRun } from '../../domain/views/experiment-with-run.ts'
import { Progress, StatusCounts } from '../../domain/views/progress.ts'
import { RunningExperiment } from '../../domain/views/running-experiment.ts'
import {
  CampaignChangeEvent,
  CampaignGoneEvent,
  CampaignsSnapshotEvent,
  ChangeEvent,
  SnapshotEvent,
} from '../../live/event-data.ts'
import { HeartbeatEvent } from '../../live/heartbeats/heartbeat-event.ts'
import { BatchResult } from '../problems/batch-result.ts'
import { Problem } from '../problems/problem.ts'

/** The schemas that have a name in the OpenAPI document, each before those that refer to it. */
export const SCHEMAS = [
  CampaignManifestEntry,
  CampaignManifest,
  ExperimentWithRun,
  PythonToolManifest,
  StudyExperiment,
  StudyManifest,
  ExperimentDraft,
  CampaignDraft,
  MergeResult,
  CampaignPatch,
  StatusCounts,
  Progress,
  CampaignSummary,
  CorruptCampaign,
  ListedCampaign,
  ExperimentReport,
  ExperimentUpdate,
  BatchResult,
  RetryRequest,
  ResumeRequest,
  ClaimRequest,
  Heartbeat,
  RunningExperiment,
  BenchedWorker,
  WorkerPatch,
  ChangeEvent,
  SnapshotEvent,
  HeartbeatEvent,
  CampaignsSnapshotEvent,
  CampaignChangeEvent,
  CampaignGoneEvent,
  Problem,
]
