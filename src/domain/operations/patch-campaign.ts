import { Type, type Static } from '@sinclair/typebox'
import { isDeepStrictEqual } from 'node:util'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { refuseTooMany, type CampaignSize } from '../campaign/campaign-size.ts'
import { SettingsDraft } from './draft.ts'
import { invalid } from '../errors.ts'
import { CampaignName, Label, settled } from '../campaign/manifest.ts'
import { Dictionary, Nullable } from '../schema.ts'

export const CampaignPatch = Type.Object(
  {
    campaign_name: Type.Optional(CampaignName),
    settings: Type.Optional(SettingsDraft),
    labels: Type.Optional(
      Dictionary(Nullable(Label), {
        description: 'Labels to set; null takes one away; those left out stay',
        examples: [{ team: 'inference', draft: null }],
      }),
    ),
  },
  {
    $id: 'CampaignPatch',
    additionalProperties: false,
    description: 'What to change of a campaign; what is left out stays',
    examples: [{ settings: { paused: true } }],
  },
)

export type CampaignPatch = Static<typeof CampaignPatch>

/**
 * Changes name, settings or labels.
 * @returns the campaign as it is then
 * @throws DomainError `invalid` when it says nothing, would make too many labels, or would have running workers stop in a campaign that is not paused
 */
export function patchCampaign(
  campaign: Campaign,
  patch: CampaignPatch,
  now: string,
  size: CampaignSize,
): Decision<Campaign> {
  if (Object.keys(patch).length === 0) {
    throw invalid({ pointer: '', detail: 'says nothing: give a campaign_name, settings or labels' })
  }
  const { campaign_name, settings, labels } = campaign.header
  const before = { campaign_name, settings, labels }
  const header = {
    campaign_name: patch.campaign_name ?? campaign_name,
    settings: settled({ ...settings, ...patch.settings }),
    labels: mergeLabels(labels, patch.labels ?? {}),
  }
  if (patch.settings?.cancel_running === true && !header.settings.paused) {
    throw invalid({ pointer: '/settings/cancel_running', detail: 'is only for a campaign that is paused' })
  }
  // Of what had more before, some may be taken away.
  if (Object.keys(header.labels).length > Object.keys(labels).length) refuseTooMany(header, size)
  if (isDeepStrictEqual(before, header)) return { changes: null, result: campaign }
  const changes = { at: now, header }
  const next = campaign.with(changes)
  return { changes, next, result: next }
}

function mergeLabels(
  labels: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const merged = Object.entries({ ...labels, ...patch })
  return Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null))
}
