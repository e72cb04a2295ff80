/** In which order keys stand in a manifest, of which any other comparison thinks nothing. */

import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'

const HEADER =
  'campaign_id campaign_name created_at updated_at config_hash total_experiments revision format uid settings labels ' +
  'archived imported_at cancel_running bench_lifted created_by source body_digest experiments'
const SETTINGS = 'max_retries max_losses worker_failure_limit lease_seconds priority paused'
const EXPERIMENT =
  'exp_id config_name config_path config_hash backend container cycle_index status result_path started_at completed_at ' +
  'error retry_count attempt revision worker actor failure_kind lease metrics failures losses attempts'
const LEASE = 'seconds claim_id claimed_at'
const PAST = 'attempt worker actor status failure_kind error result_path metrics started_at completed_at closed_by'

/** @throws Error when keys of the manifest stand in another order */
export function requireKeyOrder(text: string): void {
  const { experiments, ...header } = JSON.parse(text) as CampaignManifest
  requireKeys(HEADER, { ...header, experiments })
  requireKeys(SETTINGS, header.settings)
  for (const experiment of experiments) requireExperiment(experiment)
}

function requireExperiment(experiment: Experiment): void {
  requireKeys(EXPERIMENT, experiment)
  if (experiment.lease !== null) requireKeys(LEASE, experiment.lease)
  for (const past of experiment.attempts) requireKeys(PAST, past)
}

function requireKeys(order: string, object: object): void {
  const keys = Object.keys(object).join(' ')
  if (keys !== order) throw new Error(`keys should be ${order}, but are ${keys}`)
}
