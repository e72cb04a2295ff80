import fc from 'fast-check'
import { command, type ModelCommand } from './command.js'
import { append } from './commands/append.js'
import { batch } from './commands/batch.js'
import { claim } from './commands/claim.js'
import { create } from './commands/create.js'
import { createNamed } from './commands/create-named.js'
import { deleteCampaign } from './commands/delete-campaign.js'
import { elapse } from './commands/elapse.js'
import { getCampaign, getExperiment, getProgress } from './commands/get.js'
import { heartbeat } from './commands/heartbeat.js'
import { killDuring } from './commands/kill-during.js'
import { listCampaigns } from './commands/list-campaigns.js'
import { listExperiments } from './commands/list-experiments.js'
import { listWorkers } from './commands/list-workers.js'
import { lose } from './commands/lose.js'
import { patchCampaign } from './commands/patch-campaign.js'
import { lateReport, report } from './commands/report.js'
import { restart } from './commands/restart.js'
import { resume } from './commands/resume.js'
import { retry } from './commands/retry.js'
import type { ProcessService } from './process-service.js'

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
