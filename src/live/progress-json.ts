import type { Campaign } from '../domain/campaign/campaign.ts'
import { progressOf } from '../domain/views/progress.ts'

/** Encoded once for each version: campaigns are immutable values. */
const encoded = new WeakMap<Campaign, string>()

/** The progress of a campaign as JSON. */
export function progressJson(campaign: Campaign): string {
  const known = encoded.get(campaign)
  if (known !== undefined) return known
  const text = JSON.stringify(progressOf(campaign))
  encoded.set(campaign, text)
  return text
}
