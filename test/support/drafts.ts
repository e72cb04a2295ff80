import type { CampaignDraft, ExperimentDraft } from '#campaignd/domain/draft.js'

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
export function campaignDraft(experiments: number, given: Partial<CampaignDraft> = {}): CampaignDraft {
  return {
    campaign_id: 'sweep',
    campaign_name: 'precision sweep',
    config_hash: '0099efaa28b0',
    experiments: Array.from({ length: experiments }, (_, index) =>
      experimentDraft(String(index + 1).padStart(4, '0'), { cycle_index: index }),
    ),
    ...given,
  }
}
