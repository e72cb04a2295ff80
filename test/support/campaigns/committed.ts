import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { Committed } from '#campaignd/repository/campaign-store.js'
import { newManifest } from './decisions.js'

/** A committed state of which only the parts of its bytes matter. */
export function committedState(id: string, parts: readonly Uint8Array[]): Committed {
  const nothing = () => {
    throw new Error('only the parts are read')
  }
  return {
    campaign: Campaign.of(newManifest(id, 1)),
    encoded: { parts, list: nothing, experiment: nothing, sizeOf: nothing },
  }
}
