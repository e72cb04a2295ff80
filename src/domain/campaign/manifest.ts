import { type Static, Type } from '@sinclair/typebox'
import { CampaignManifestEntry, LeaseSeconds, Timestamp } from '../experiment/experiment.ts'
import { Dictionary, Name, ref, SafeInteger, StrictObject, Text } from '../schema.ts'

export const CampaignId = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
  description: 'Names the campaign and its file',
  examples: ['bbb9fb75'],
})

export const CampaignName = Name({
  minLength: 1,
  maxLength: 512,
  description: 'What people call the campaign',
  examples: ['llama3-8b-backend-precision-sweep'],
})

export const ConfigHash = Text("Hash of the campaign's config; opaque", '0099efaa28b0')

export const settingsProperties = {
  max_retries: Type.Integer({
    minimum: 0,
    maximum: 1000,
    description: 'How many times a failed experiment may be started again without being asked for',
    examples: [2],
  }),
  lease_seconds: LeaseSeconds,
  paused: Type.Boolean({ description: 'While true no experiment can be claimed', examples: [false] }),
  cancel_running: Type.Optional(
    Type.Boolean({ description: 'While paused: responses to heartbeats tell workers to stop. Present only when true' }),
  ),
}

export const CampaignSettings = StrictObject(settingsProperties, { description: 'How the campaign is run' })

export const DEFAULT_SETTINGS: Static<typeof CampaignSettings> = { max_retries: 0, lease_seconds: 60, paused: false }

export const Label = Name({ maxLength: 1024 })

const Labels = Dictionary(Label, {
  description: 'Free key and value pairs to find campaigns by',
  examples: [{ team: 'inference', model: 'llama3-8b' }],
})

/** All of a manifest but its experiments, in the order of the file. */
export const headerProperties = {
  campaign_id: CampaignId,
  campaign_name: CampaignName,
  created_at: Timestamp,
  updated_at: Timestamp,
  config_hash: ConfigHash,
  total_experiments: SafeInteger(1, { description: 'Number of experiments; derived', examples: [18] }),
  revision: SafeInteger(1, {
    description: 'Creation is 1; every decision that changes something adds 1',
    examples: [27],
  }),
  uid: Type.String({
    pattern: '^[0-9a-f]{16}$',
    description: 'Tells this campaign from an earlier one of the same id that was deleted; set at creation',
    examples: ['5f0c1e9a7b3d2468'],
  }),
  settings: CampaignSettings,
  labels: Labels,
  definition_digest: Type.String({
    pattern: '^[0-9a-f]{64}$',
    description: 'sha256 over config_hash and the seven defining fields of each experiment, as created',
    examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
  }),
}

export const CampaignHeader = StrictObject(headerProperties)

export const CampaignManifest = StrictObject(
  {
    ...headerProperties,
    experiments: Type.Array(ref(CampaignManifestEntry), {
      minItems: 1,
      description: 'In the order in which they are run',
    }),
  },
  { $id: 'CampaignManifest', description: 'A campaign: a header and its experiments in order' },
)

/** The settings without `cancel_running`, unless the campaign is paused. */
export function consistentSettings({ cancel_running, ...settings }: Static<typeof CampaignSettings>): CampaignSettings {
  return settings.paused && cancel_running === true ? { ...settings, cancel_running } : settings
}

/** A copy to be changed, with each field by its name for the reason that `copyOfExperiment` has. */
export function copyOfHeader(header: CampaignHeader): CampaignHeader {
  return {
    campaign_id: header.campaign_id,
    campaign_name: header.campaign_name,
    created_at: header.created_at,
    updated_at: header.updated_at,
    config_hash: header.config_hash,
    total_experiments: header.total_experiments,
    revision: header.revision,
    uid: header.uid,
    settings: header.settings,
    labels: header.labels,
    definition_digest: header.definition_digest,
  }
}

export type CampaignSettings = Static<typeof CampaignSettings>
export type CampaignHeader = Static<typeof CampaignHeader>
export type CampaignManifest = Static<typeof CampaignManifest>
