import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import { manifestPieces } from '#campaignd/domain/formats/manifest-json.js'
import { layManifest } from '../store/files.js'
import { newManifest } from './decisions.js'

/** Puts campaigns into a data directory as the store itself writes them: `sweep-0`, `sweep-1` and so on. */
export function layCampaigns(dataDir: string, campaigns: number, experiments: number): void {
  for (let index = 0; index < campaigns; index += 1) {
    const manifest = newManifest(`sweep-${index}`, experiments)
    layManifest(dataDir, manifest.campaign_id, [...manifestPieces(Campaign.of(manifest))].join(''))
  }
}
