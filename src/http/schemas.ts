import { CampaignDraft, ExperimentDraft } from '../domain/draft.ts'
import { CampaignManifestEntry } from '../domain/experiment.ts'
import { CampaignManifest } from '../domain/manifest.ts'
import { CampaignSummary, CorruptCampaign } from '../domain/campaign-list.ts'
import { CampaignPatch } from '../domain/patch-campaign.ts'
import { Progress, StatusCounts } from '../domain/progress.ts'
import { PythonToolManifest } from '../domain/python-tool-manifest.ts'
import { ExperimentReport } from '../domain/report.ts'
import { ClaimRequest } from '../domain/claim.ts'
import { Heartbeat } from '../domain/heartbeat.ts'
import { ResumeRequest } from '../domain/resume-request.ts'
import { RetryRequest } from '../domain/retry.ts'
import {
  CampaignChangeEvent,
  CampaignGoneEvent,
  CampaignsSnapshotEvent,
  ChangeEvent,
  SnapshotEvent,
} from '../live/event-data.ts'
import { Problem } from './problem.ts'
import { BatchResult, ExperimentUpdate } from './routes/experiment-batch.ts'
import { RunningExperiment } from './routes/workers.ts'

/** The schemas that have a name in the OpenAPI document, each before those that refer to it. */
export const SCHEMAS = [
  CampaignManifestEntry,
  CampaignManifest,
  PythonToolManifest,
  ExperimentDraft,
  CampaignDraft,
  CampaignPatch,
  StatusCounts,
  Progress,
  CampaignSummary,
  CorruptCampaign,
  ExperimentReport,
  ExperimentUpdate,
  BatchResult,
  RetryRequest,
  ResumeRequest,
  ClaimRequest,
  Heartbeat,
  RunningExperiment,
  ChangeEvent,
  SnapshotEvent,
  CampaignsSnapshotEvent,
  CampaignChangeEvent,
  CampaignGoneEvent,
  Problem,
]
