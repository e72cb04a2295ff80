import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'

/** What a lane knows when it makes up a request. */
export interface Known {
  /** The campaign that it is about, as its file has it. */
  readonly manifest: CampaignManifest
  /** A name that no campaign and no experiment has had. */
  readonly freshName: () => string
  /** Tokens that pages of the operation ended with. */
  readonly pageTokens: readonly string[]
}

/** The experiments that a worker keeps alive by heartbeats. */
export function leasedIn({ experiments }: CampaignManifest): Experiment[] {
  return experiments.filter(({ status, lease }) => status === 'running' && lease !== null)
}

export function campaignTagOf({ uid, revision }: CampaignManifest): string {
  return `"${uid}-${revision}"`
}

export function experimentTagOf({ uid }: CampaignManifest, { revision }: Experiment): string {
  return `"${uid}-${revision}"`
}
