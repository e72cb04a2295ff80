import { Type } from '@sinclair/typebox'
import type { Campaign } from '../domain/campaign/campaign.ts'
import { CampaignManifestEntry, Timestamp } from '../domain/experiment/experiment.ts'
import { CampaignId, headerProperties } from '../domain/campaign/manifest.ts'
import { Described, ref } from '../domain/schema.ts'
import { Progress } from '../domain/views/progress.ts'
import type { CampaignChange } from '../repository/campaign-store.ts'
import { EventFrame } from './event-frame.ts'
import { progressJson } from './progress-json.ts'

/** What each event says, as the documentation has it. */

const { revision } = headerProperties

export const ChangeEvent = Type.Object(
  {
    revision,
    previous_revision: Described(revision, 'The revision of the event before it: that nothing is missing'),
    progress: ref(Progress),
    experiments: Type.Array(ref(CampaignManifestEntry), { description: 'Those that changed or were added' }),
  },
  { $id: 'ChangeEvent', additionalProperties: false, description: '`event: change` of a campaign: one commit' },
)

const reset = Type.Optional(
  Type.Boolean({ description: 'True when you asked to go on and cannot: get all of it anew', examples: [true] }),
)

export const SnapshotEvent = Type.Object(
  {
    revision,
    created_at: Timestamp,
    progress: ref(Progress),
    reset,
  },
  {
    $id: 'SnapshotEvent',
    additionalProperties: false,
    description: '`event: snapshot` of a campaign: where it stands',
  },
)

export const CampaignsSnapshotEvent = Type.Object(
  { reset },
  {
    $id: 'CampaignsSnapshotEvent',
    additionalProperties: false,
    description: '`event: snapshot` among all campaigns: from here on you are told; what there is, is in the list',
  },
)

export const CampaignChangeEvent = Type.Object(
  {
    campaign_id: CampaignId,
    revision,
    previous_revision: Type.Optional(Described(revision, 'With `change`: the revision before it')),
    progress: ref(Progress),
  },
  {
    $id: 'CampaignChangeEvent',
    additionalProperties: false,
    description: '`event: created` or `event: change` among all campaigns',
  },
)

export const CampaignGoneEvent = Type.Object(
  { campaign_id: CampaignId },
  {
    $id: 'CampaignGoneEvent',
    additionalProperties: false,
    description: '`event: deleted`, or `event: corrupt` when its file turned out not to be trusted any more',
  },
)

/** About how many bytes a progress and a changed experiment are as JSON. */
const PROGRESS_SIZE = 1000
const EXPERIMENT_SIZE = 700

type Changed = Extract<CampaignChange, { type: 'changed' }>

export function changeFrame({ previous, campaign, experiments }: Changed): EventFrame {
  const { revision } = campaign.header
  const data = () => {
    const revisions = `"revision":${revision},"previous_revision":${previous.header.revision}`
    return `{${revisions},"progress":${progressJson(campaign)},"experiments":${JSON.stringify(experiments)}}`
  }
  return new EventFrame('change', String(revision), data, PROGRESS_SIZE + EXPERIMENT_SIZE * experiments.length)
}

export function snapshotFrame(campaign: Campaign, reset: boolean): EventFrame {
  const { revision, created_at } = campaign.header
  const data = () => {
    const rest = reset ? ',"reset":true' : ''
    const fields = `"revision":${revision},"created_at":${JSON.stringify(created_at)}`
    return `{${fields},"progress":${progressJson(campaign)}${rest}}`
  }
  return new EventFrame('snapshot', String(revision), data, PROGRESS_SIZE)
}

/** The last event of a campaign that is no more. */
export function goneFrame(
  event: Extract<CampaignChange, { type: 'deleted' | 'corrupted' }>,
  id: string | null,
): EventFrame {
  const data = JSON.stringify({ campaign_id: event.campaign_id })
  return new EventFrame(event.type === 'deleted' ? 'deleted' : 'corrupt', id, () => data, data.length)
}

/** What is told of a campaign among all campaigns. */
export function summaryFrame(event: CampaignChange, id: string): EventFrame {
  if (event.type === 'deleted' || event.type === 'corrupted') return goneFrame(event, id)
  const { campaign } = event
  const { campaign_id, revision } = campaign.header
  const previous = event.type === 'changed' ? `,"previous_revision":${event.previous.header.revision}` : ''
  const data = () =>
    `{"campaign_id":${JSON.stringify(campaign_id)},"revision":${revision}${previous},"progress":${progressJson(campaign)}}`
  return new EventFrame(event.type === 'created' ? 'created' : 'change', id, data, PROGRESS_SIZE)
}
