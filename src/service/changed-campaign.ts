import type { Campaign } from '../domain/campaign/campaign.ts'
import type { CampaignStore, Committed } from '../repository/campaign-store.ts'

/**
 * A campaign as a change left it, which is durable; with its bytes, unless something else has changed it since. The change is made:
 * whatever can be read now, it is answered.
 */
export async function changedCampaign(store: CampaignStore, campaign: Campaign): Promise<Committed> {
  const newest = await store.read(campaign.header.campaign_id).catch(() => null)
  return newest?.campaign === campaign ? newest : { campaign, encoded: null }
}
