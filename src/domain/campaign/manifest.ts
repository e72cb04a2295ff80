import { type Static, Type } from '@sinclair/typebox'
import { CampaignManifestEntry, LeaseSeconds, Timestamp } from '../experiment/experiment.ts'
import { Described, Dictionary, Name, Nullable, ref, SafeInteger, StrictObject, Text } from '../schema.ts'

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
    description:
      'How many times an experiment that failed (error, timeout, oom) may be started again without being asked for',
    examples: [2],
  }),
  max_losses: Type.Integer({
    minimum: 0,
    maximum: 1000,
    description: 'The same after a loss: its worker vanished or was interrupted. Such a loss uses up no retry',
    examples: [3],
  }),
  worker_failure_limit: Type.Integer({
    minimum: 0,
    maximum: 1000,
    description:
      'A worker whose newest so many runs all ended in error, timeout, oom or lost is benched: its claims get nothing for ten minutes, ' +
      'then one experiment as a try. Not while nobody else works, nor when others failed at one of those experiments too. 0: never',
    examples: [5],
  }),
  lease_seconds: LeaseSeconds,
  priority: Type.Integer({
    minimum: -1000,
    maximum: 1000,
    description:
      'Stored and not used yet: of several campaigns the one with the highest priority is to be handed out first',
    examples: [0],
  }),
  paused: Type.Boolean({ description: 'While true no experiment can be claimed', examples: [false] }),
}

export const CampaignSettings = StrictObject(settingsProperties, { description: 'How the campaign is run' })

export const DEFAULT_SETTINGS: Static<typeof CampaignSettings> = {
  max_retries: 0,
  max_losses: 3,
  worker_failure_limit: 5,
  lease_seconds: 60,
  priority: 0,
  paused: false,
}

/** Of the manifest file. One without it is 1; a higher one is of a newer version of the service. */
export const FORMAT = 2

/** Workers whose benching was lifted that a campaign remembers. */
export const MAX_BENCH_LIFTED = 1000

export const Label = Name({ maxLength: 1024 })

const Labels = Dictionary(Label, {
  description: 'Free key and value pairs to find campaigns by',
  examples: [{ team: 'inference', model: 'llama3-8b' }],
})

const Digest = Type.String({
  pattern: '^[0-9a-f]{64}$',
  examples: ['9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
})

const Source = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true })

/** All of a manifest but its experiments, in the order of the file. */
export const headerProperties = {
  campaign_id: CampaignId,
  campaign_name: CampaignName,
  created_at: Timestamp,
  updated_at: Timestamp,
  config_hash: ConfigHash,
  total_experiments: SafeInteger(0, { description: 'Number of experiments; derived', examples: [18] }),
  revision: SafeInteger(1, {
    description: 'Creation is 1; every decision that changes something adds 1',
    examples: [27],
  }),
  format: Type.Unsafe<typeof FORMAT>({
    type: 'integer',
    enum: [FORMAT],
    description: 'Format of the manifest',
    examples: [FORMAT],
  }),
  uid: Type.String({
    pattern: '^[0-9a-f]{16}$',
    description: 'Tells this campaign from an earlier one of the same id that was deleted; set at creation',
    examples: ['5f0c1e9a7b3d2468'],
  }),
  settings: CampaignSettings,
  labels: Labels,
  archived: Type.Boolean({
    description: 'Put away: the list of campaigns leaves it out unless asked. Its experiments are handed out as before',
  }),
  imported_at: Nullable(Timestamp, {
    description: 'When it was imported with the statuses of its experiments; null: never',
  }),
  cancel_running: Type.Boolean({
    description:
      'While it is paused: responses to heartbeats tell workers to stop, and what they stop goes back to pending',
  }),
  bench_lifted: Dictionary(Timestamp, {
    maxProperties: MAX_BENCH_LIFTED,
    description: 'Workers that get experiments again though they failed: failures up to then do not count against them',
  }),
  created_by: Nullable(Type.String({ pattern: '^[0-9a-f]{32}$', examples: ['2c26b46b68ffc68ff99b453c1d304134'] }), {
    description: '128 bits of the sha256 of the Idempotency-Key of its creation; null: there was none',
  }),
  source: Nullable(Source, {
    description: 'What an imported format holds that has no other place; opaque, at most 4 KiB as JSON',
  }),
  body_digest: Nullable(Digest, {
    description: 'sha256 of the body that created it, with defaults filled in; null in one of an earlier format',
  }),
  definition_digest: Type.Optional(
    Described(
      Digest,
      'Only of a campaign of an earlier format: sha256 over config_hash and the definitions, as created',
    ),
  ),
}

export const CampaignHeader = StrictObject(headerProperties)

export const CampaignManifest = StrictObject(
  {
    ...headerProperties,
    experiments: Type.Array(ref(CampaignManifestEntry), {
      description: 'In the order in which they are run',
    }),
  },
  { $id: 'CampaignManifest', description: 'A campaign: a header and its experiments in order' },
)

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
    format: header.format,
    uid: header.uid,
    settings: header.settings,
    labels: header.labels,
    archived: header.archived,
    imported_at: header.imported_at,
    cancel_running: header.cancel_running,
    bench_lifted: header.bench_lifted,
    created_by: header.created_by,
    source: header.source,
    body_digest: header.body_digest,
    ...(header.definition_digest === undefined ? {} : { definition_digest: header.definition_digest }),
  }
}

export type CampaignSettings = Static<typeof CampaignSettings>
export type CampaignHeader = Static<typeof CampaignHeader>
export type CampaignManifest = Static<typeof CampaignManifest>
