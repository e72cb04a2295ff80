import fc from 'fast-check'
import { command, type ModelCommand } from './command.js'
import { append } from './append.js'
import { batch } from './batch.js'
import { claim } from './claim.js'
import { create } from './create.js'
import { createNamed } from './create-named.js'
import { deleteCampaign } from './delete-campaign.js'
import { elapse } from './events/elapse.js'
import { getCampaign, getExperiment, getProgress } from './reads/get.js'
import { heartbeat } from './heartbeat.js'
import { killDuring } from './events/kill-during.js'
import { listCampaigns } from './reads/list-campaigns.js'
import { listExperiments } from './reads/list-experiments.js'
import { listWorkers } from './reads/list-workers.js'
import { lose } from './events/lose.js'
import { patchCampaign } from './patch-campaign.js'
import { lateReport, report } from './report.js'
import { restart } from './events/restart.js'
import { resume } from './resume.js'
import { retry } from './retry.js'
import type { ProcessService } from '../process-service.js'

/** All that a run may do. */
export const anyCommand: fc.Arbitrary<ModelCommand> = fc.oneof(
  command(create),
  command(createNamed),
  command(getCampaign),
  command(patchCampaign),
  command(deleteCampaign),
  command(report),
  command(batch),
  command(append),
  command(retry),
  command(resume),
  command(listExperiments),
  command(listCampaigns),
  command(getExperiment),
  command(getProgress),
  command(lateReport),
  command(claim),
  command(heartbeat),
  command(elapse),
  command(listWorkers),
  command(restart),
)

/** What a run may do whose clocks are real ones: nothing that asks in which order things happened. */
export function anyCommandOn(service: ProcessService): fc.Arbitrary<ModelCommand> {
  return fc.oneof(
    command(create),
    command(getCampaign),
    command(patchCampaign),
    command(deleteCampaign),
    command(report),
    command(lateReport),
    command(batch),
    command(append),
    command(retry),
    command(resume),
    command(listExperiments),
    command(claim),
    command(heartbeat),
    command(lose),
    command(listWorkers),
    command({ ...restart, weight: 15 }),
    command(killDuring(service)),
  )
}

/** What a run begins with: without a campaign there is little to do. */
export const firstCommand: fc.Arbitrary<ModelCommand> = command({
  ...create,
  arguments: create.arguments.map((one) => ({ ...one, draft: { config_hash: 'hash-1' }, flaw: undefined })),
}).arbitrary
