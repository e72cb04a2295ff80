import { Type, type Static } from '@sinclair/typebox'
import { Dictionary, ref } from '../schema.ts'
import { CampaignManifestEntry, LeaseSeconds, Timestamp } from '../experiment/experiment.ts'

export const CampaignId = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
  description: 'Names the campaign and its file',
  examples: ['bbb9fb75'],
})

export const CampaignName = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'What people call the campaign',
  examples: ['llama3-8b-backend-precision-sweep'],
})

export const ConfigHash = Type.String({
  maxLength: 4096,
  description: "Hash of the campaign's config; opaque",
  examples: ['0099efaa28b0'],
})

export const settingsProperties = {
  max_retries: Type.Integer({
    minimum: 0,
    maximum: 1000,
    description: 'How many times a failed experiment may be started again without being asked for',
    examples: [2],
  }),
  lease_seconds: LeaseSeconds,
  paused: Type.Boolean({ description: 'While true no experiment is handed out', examples: [false] }),
  cancel_running: Type.Optional(
    Type.Boolean({
      description: 'While paused: what runs is to stop, as the answers to heartbeats say. There only when true',
    }),
  ),
}

export const CampaignSettings = Type.Object(settingsProperties, {
  additionalProperties: false,
  description: 'How the campaign is run',
})

export const DEFAULT_SETTINGS: Static<typeof CampaignSettings> = { max_retries: 0, lease_seconds: 60, paused: false }

export const Label = Type.String({ maxLength: 1024 })

export const Labels = Dictionary(Label, {
  description: 'Free key and value pairs to find campaigns by',
  examples: [{ team: 'inference', model: 'llama3-8b' }],
})

const Revision = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Creation is 1; every decision that changes something adds 1',
  examples: [27],
})

/** All of a manifest but its experiments, in the order of the file. */
export const headerProperties = {
  campaign_id: CampaignId,
  campaign_name: CampaignName,
  created_at: Timestamp,
  updated_at: Timestamp,
  config_hash: ConfigHash,
  total_experiments: Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'How many experiments there are; derived',
    examples: [18],
  }),
  revision: Revision,
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

export const CampaignHeader = Type.Object(headerProperties, { additionalProperties: false })

export const CampaignManifest = Type.Object(
  {
    ...headerProperties,
    experiments: Type.Array(ref(CampaignManifestEntry), {
      minItems: 1,
      description: 'In the order in which they are run',
    }),
  },
  {
    $id: 'CampaignManifest',
    additionalProperties: false,
    description: 'A campaign: a header and its experiments in order',
  },
)

/** Settings that do not contradict each other: nothing is to stop in a campaign that goes on. */
export function settled({ cancel_running, ...settings }: Static<typeof CampaignSettings>): CampaignSettings {
  return settings.paused && cancel_running === true ? { ...settings, cancel_running } : settings
}

/** A copy to be changed, with each field by its name: see `copyOfExperiment`. */
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
