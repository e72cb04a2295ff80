import fc from 'fast-check'
import type { ProcessService } from '../process-service.js'
import { append } from './append.js'
import { batch } from './batch.js'
import { claim } from './claim.js'
import { command, type ModelCommand } from './command.js'
import { create, createNamed } from './create.js'
import { deleteCampaign } from './delete-campaign.js'
import { elapse } from './events/elapse.js'
import { lose } from './events/lose.js'
import { killDuring, restart } from './events/restart.js'
import { fail } from './failing-worker.js'
import { heartbeat } from './heartbeat.js'
import { lateCompletion, lateReport, stop } from './late-reports.js'
import { patchCampaign } from './patch-campaign.js'
import { patchWorker } from './patch-worker.js'
import { getCampaign, getExperiment, getProgress } from './reads/get.js'
import { listCampaigns } from './reads/list-campaigns.js'
import { listExperiments } from './reads/list-experiments.js'
import { listWorkers } from './reads/list-workers.js'
import { report } from './report.js'
import { resume } from './resume.js'
import { retry } from './retry.js'
import { save } from './save.js'

/** In this order, on which the calls of a seed depend. */
export const anyCommand: fc.Arbitrary<ModelCommand> = fc.oneof(
  create,
  createNamed,
  getCampaign,
  patchCampaign,
  deleteCampaign,
  report,
  batch,
  append,
  retry,
  resume,
  listExperiments,
  listCampaigns,
  getExperiment,
  getProgress,
  lateReport,
  claim,
  heartbeat,
  elapse,
  listWorkers,
  restart,
  lateCompletion,
  stop,
  save,
  patchWorker,
  fail,
)

/** What a run may do whose clocks are real ones: nothing that asks in which order things happened. */
export function anyCommandOn(service: ProcessService): fc.Arbitrary<ModelCommand> {
  return fc.oneof(
    ...[create, getCampaign, patchCampaign, deleteCampaign, report, lateReport, lateCompletion, stop],
    ...[batch, append, retry, resume, save, fail, patchWorker],
    ...[listExperiments, claim, heartbeat, lose, listWorkers, { ...restart, weight: 15 }, killDuring(service)],
  )
}

/** What a run begins with: without a campaign there is little to do. */
export const firstCommand: fc.Arbitrary<ModelCommand> = command({
  ...create,
  arguments: create.arguments.map((one) => ({ ...one, draft: { config_hash: 'hash-1' }, flaw: undefined })),
}).arbitrary
