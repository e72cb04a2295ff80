import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignHeader } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { atOnce } from '#campaignd/domain/long-work.js'
import { createManifest } from '#campaignd/domain/operations/create.js'
import type { ExperimentDraft, WholeDraft } from '#campaignd/domain/operations/draft.js'

/** Of the campaigns that are made here. */
export const UID = '5f0c1e9a7b3d2468'

/** An experiment to create; what is given replaces the defaults. */
export function experimentDraft(expId: string, given: Partial<ExperimentDraft> = {}): ExperimentDraft {
  return {
    exp_id: expId,
    config_name: 'llama3-8b-bf16',
    config_path: 'configs/llama3-8b-bf16.yaml',
    config_hash: '2bab738210c9',
    backend: 'vllm',
    container: 'vllm',
    cycle_index: 0,
    ...given,
  }
}

/** A campaign to create, with the experiments 0001, 0002 and so on. */
export function campaignDraft(experiments: number, given: Partial<WholeDraft> = {}): WholeDraft {
  return {
    campaign_id: 'sweep',
    campaign_name: 'precision sweep',
    config_hash: '0099efaa28b0',
    experiments: Array.from({ length: experiments }, (_, index) =>
      experimentDraft(idOf(index), { cycle_index: index }),
    ),
    ...given,
  }
}

function idOf(index: number): string {
  return String(index + 1).padStart(4, '0')
}

/** An experiment of a campaign, by default pending and never started. */
export function experiment(given: Partial<Experiment> = {}): Experiment {
  const { status = 'pending' } = given
  const attempt = given.attempt ?? (status === 'pending' || status === 'skipped' ? 0 : 1)
  return {
    ...experimentDraft('0001'),
    status,
    result_path: null,
    started_at: null,
    completed_at: null,
    error: null,
    retry_count: Math.max(0, attempt - 1),
    attempt,
    revision: 1,
    worker: null,
    actor: null,
    failure_kind: status === 'failed' ? 'error' : null,
    lease: null,
    metrics: null,
    failures: status === 'failed' ? attempt : Math.max(0, attempt - 1),
    losses: 0,
    attempts: [],
    ...given,
  }
}

/** A campaign of the experiments 0001, 0002 and so on. */
export function campaignOf(given: readonly Partial<Experiment>[], header: Partial<CampaignHeader> = {}): Campaign {
  const draft = campaignDraft(given.length)
  const creation = { now: '2026-02-01T08:00:00Z', timezone: 'UTC', uid: UID, idSuffix: '0099efaa', createdBy: null }
  const experiments = given.map((one, index) => experiment({ exp_id: idOf(index), cycle_index: index, ...one }))
  return Campaign.of({ ...atOnce(createManifest(draft, creation)), ...header, experiments })
}
