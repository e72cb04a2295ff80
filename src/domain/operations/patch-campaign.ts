import { isDeepStrictEqual } from 'node:util'
import { type Static, Type } from '@sinclair/typebox'
import type { Campaign, Decision } from '../campaign/campaign.ts'
import { type CampaignSize, labelBytes, refuseTooMany } from '../campaign/campaign-size.ts'
import { type CampaignHeader, CampaignName, headerProperties, Label } from '../campaign/manifest.ts'
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
    archived: Type.Optional(headerProperties.archived),
  },
  {
    $id: 'CampaignPatch',
    description: 'What to change in a campaign; what is left out stays',
    examples: [{ settings: { paused: true } }],
  },
)

export type CampaignPatch = Static<typeof CampaignPatch>

interface PatchOptions {
  readonly now: string
  /** Whether running workers are told to stop while it is paused; undefined: as before. */
  readonly cancelRunning?: boolean | undefined
}

/**
 * Changes name, settings, labels, and whether it is archived.
 * @returns the campaign as it is then
 * @throws DomainError `invalid` when it is empty, makes too many or too long labels, or is to cancel what is not paused
 */
export function patchCampaign(
  campaign: Campaign,
  patch: CampaignPatch,
  { now, cancelRunning }: PatchOptions,
  size: CampaignSize,
): Decision<Campaign> {
  if (Object.keys(patch).length === 0 && cancelRunning === undefined) {
    throw invalid({ pointer: '', detail: 'is empty: give a campaign_name, settings, labels or archived' })
  }
  const { campaign_name, settings, labels, archived, cancel_running } = campaign.header
  const before = { campaign_name, settings, labels, archived, cancel_running }
  const newSettings = { ...settings, ...patch.settings }
  if (cancelRunning === true && !newSettings.paused) {
    throw invalid({ pointer: '/settings/paused', detail: 'must be true with ?cancel_running=true' })
  }
  const header = {
    campaign_name: patch.campaign_name ?? campaign_name,
    settings: newSettings,
    labels: mergeLabels(labels, patch.labels ?? {}),
    archived: patch.archived ?? archived,
    cancel_running: newSettings.paused && (cancelRunning ?? cancel_running),
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
