import { isDeepStrictEqual } from 'node:util'
import { type Static, Type } from '@sinclair/typebox'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { type CampaignSize, labelBytes, refuseTooMany } from '../campaign/campaign-size.ts'
import { type CampaignHeader, CampaignName, consistentSettings, Label } from '../campaign/manifest.ts'
import { invalid } from '../errors.ts'
import { Dictionary, Nullable, StrictObject } from '../schema.ts'
import { SettingsDraft } from './draft.ts'

export const CampaignPatch = StrictObject(
  {
    campaign_name: Type.Optional(CampaignName),
    settings: Type.Optional(SettingsDraft),
    labels: Type.Optional(
      Dictionary(Nullable(Label), {
        description: 'Labels to set; null removes one; those left out stay',
        examples: [{ team: 'inference', draft: null }],
      }),
    ),
  },
  {
    $id: 'CampaignPatch',
    description: 'What to change in a campaign; what is left out stays',
    examples: [{ settings: { paused: true } }],
  },
)

export type CampaignPatch = Static<typeof CampaignPatch>

/**
 * Changes name, settings or labels.
 * @returns the campaign as it is then
 * @throws DomainError `invalid` when it is empty, makes too many or too long labels, or sets `cancel_running` without `paused`
 */
export function patchCampaign(
  campaign: Campaign,
  patch: CampaignPatch,
  now: string,
  size: CampaignSize,
): Decision<Campaign> {
  if (Object.keys(patch).length === 0) {
    throw invalid({ pointer: '', detail: 'is empty: give a campaign_name, settings or labels' })
  }
  const { campaign_name, settings, labels } = campaign.header
  const before = { campaign_name, settings, labels }
  const header = {
    campaign_name: patch.campaign_name ?? campaign_name,
    settings: consistentSettings({ ...settings, ...patch.settings }),
    labels: mergeLabels(labels, patch.labels ?? {}),
  }
  if (patch.settings?.cancel_running === true && !header.settings.paused) {
    throw invalid({ pointer: '/settings/cancel_running', detail: 'is only for a campaign that is paused' })
  }
  // A campaign with more labels than allowed may lose some.
  if (isMore(header.labels, labels)) refuseTooMany(header, size)
  if (isDeepStrictEqual(before, header)) return { changes: null, result: campaign }
  const changes = { at: now, header }
  const next = campaign.revise(changes)
  return { changes, next, result: next.campaign }
}

function isMore(labels: CampaignHeader['labels'], before: CampaignHeader['labels']): boolean {
  return Object.keys(labels).length > Object.keys(before).length || labelBytes(labels) > labelBytes(before)
}

function mergeLabels(labels: Record<string, string>, patch: Record<string, string | null>): Record<string, string> {
  const merged = Object.entries({ ...labels, ...patch })
  return Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null))
}
