import { benchedWorkers } from '../domain/campaign/benching.ts'
import type { Campaign } from '../domain/campaign/campaign.ts'
import { progressOf } from '../domain/views/progress.ts'

/** Workers that an event tells of. */
export const BENCHED = 100

/** The progress of a campaign as JSON. */
export const progressJson = encodedOnce((campaign) => progressOf(campaign))

/** The workers that are benched as of its revision, as JSON. */
export const benchedJson = encodedOnce((campaign) =>
  benchedWorkers(campaign, campaign.header.updated_at).slice(0, BENCHED),
)

/** For each version once: campaigns are immutable values. */
function encodedOnce(view: (campaign: Campaign) => object): (campaign: Campaign) => string {
  const encoded = new WeakMap<Campaign, string>()
  return (campaign) => {
    const known = encoded.get(campaign)
    if (known !== undefined) return known
    const text = JSON.stringify(view(campaign))
    encoded.set(campaign, text)
    return text
  }
}
