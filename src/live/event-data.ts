import { type TProperties, Type } from '@sinclair/typebox'
import type { Campaign } from '../domain/campaign/campaign.ts'
import { CampaignId, headerProperties } from '../domain/campaign/manifest.ts'
import { parseVersion, versionText } from '../domain/campaign/version.ts'
import { CampaignManifestEntry, Timestamp } from '../domain/experiment/experiment.ts'
import { Described, ref } from '../domain/schema.ts'
import { changesSince } from '../domain/views/changes-since.ts'
import { Progress } from '../domain/views/progress.ts'
import type { CampaignChange, OverviewChange } from '../repository/campaign-store.ts'
import { EventFrame } from './event-frame.ts'
import { progressJson } from './progress-json.ts'

const { revision } = headerProperties

export const ChangeEvent = eventData('ChangeEvent', '`event: change` of a campaign: one commit', {
  revision,
  previous_revision: Described(revision, 'The revision of the event before this one: a gap shows that you missed one'),
  progress: ref(Progress),
  experiments: Type.Array(ref(CampaignManifestEntry), { description: 'Those that changed or were added' }),
})

const reset = Type.Optional(
  Type.Boolean({
    description: 'True when you asked to resume and that is not possible: read everything anew',
    examples: [true],
  }),
)

export const SnapshotEvent = eventData('SnapshotEvent', '`event: snapshot` of a campaign: its current state', {
  revision,
  created_at: Timestamp,
  progress: ref(Progress),
  reset,
})

export const CampaignsSnapshotEvent = eventData(
  'CampaignsSnapshotEvent',
  '`event: snapshot` among all campaigns: the stream begins here. List the campaigns for their current state',
  { reset },
)

export const CampaignChangeEvent = eventData(
  'CampaignChangeEvent',
  '`event: created` or `event: change` among all campaigns',
  {
    campaign_id: CampaignId,
    revision,
    previous_revision: Type.Optional(Described(revision, 'With `change`: the revision before this one')),
    progress: ref(Progress),
  },
)

export const CampaignGoneEvent = eventData(
  'CampaignGoneEvent',
  '`event: deleted`, or `event: corrupt` when its file was found to be corrupt',
  { campaign_id: CampaignId },
)

function eventData<T extends TProperties>($id: string, description: string, properties: T) {
  return Type.Object(properties, { $id, additionalProperties: false, description })
}

/** With more missed changes a reader gets a snapshot: reading the campaign anew is cheaper for both sides. */
const MAX_MISSED = 2000

/** Half of what may wait for a reader: with more at once it would be dropped, and again whenever it reconnects. */
const MAX_MISSED_BYTES = 512 * 1024

type Changed = Extract<CampaignChange, { type: 'changed' }>
type Gone = Extract<CampaignChange, { type: 'deleted' | 'corrupted' }>

/** One commit of a campaign. */
export function changeFrame({
  previous_revision,
  campaign,
  experiments,
}: Pick<Changed, 'previous_revision' | 'campaign' | 'experiments'>): EventFrame {
  const { revision } = campaign.header
  return new EventFrame('change', versionText(campaign.header), () => {
    const revisions = `"revision":${revision},"previous_revision":${previous_revision}`
    return `{${revisions},"progress":${progressJson(campaign)},"experiments":${JSON.stringify(experiments)}}`
  })
}

/**
 * The first events of a reader.
 * @param lastEventId the version that the reader knows; null: none
 * @returns one change with everything that it missed, nothing if it missed nothing; a snapshot when that is not known or too much
 */
export function catchUpFrames(campaign: Campaign, lastEventId: string | null): readonly EventFrame[] {
  if (lastEventId === null) return [snapshotFrame(campaign, false)]
  const { uid, revision, total_experiments } = campaign.header
  const known = parseVersion(lastEventId)
  if (known?.uid !== uid || known.revision > revision) return [snapshotFrame(campaign, true)]
  if (known.revision === revision) return []
  const most = Math.min(MAX_MISSED, Math.floor(total_experiments / 2))
  const experiments = changesSince(campaign, known.revision, most)
  if (experiments === null) return [snapshotFrame(campaign, true)]
  const missed = [changeFrame({ campaign, previous_revision: known.revision, experiments })]
  return isTooMuch(missed) ? [snapshotFrame(campaign, true)] : missed
}

/** Whether these are more than a reader may get at once. */
export function isTooMuch(frames: readonly EventFrame[]): boolean {
  return frames.reduce((sum, { bytes }) => sum + bytes.length, 0) > MAX_MISSED_BYTES
}

function snapshotFrame(campaign: Campaign, reset: boolean): EventFrame {
  const { revision, created_at } = campaign.header
  return new EventFrame('snapshot', versionText(campaign.header), () => {
    const rest = reset ? ',"reset":true' : ''
    const fields = `"revision":${revision},"created_at":${JSON.stringify(created_at)}`
    return `{${fields},"progress":${progressJson(campaign)}${rest}}`
  })
}

/** The last event of a campaign that was deleted or is corrupt. */
export function goneFrame({ type, campaign_id }: Gone, id: string | null): EventFrame {
  return new EventFrame(type === 'deleted' ? 'deleted' : 'corrupt', id, () => JSON.stringify({ campaign_id }))
}

/** The first event among all campaigns. */
export function beginningFrame(id: string, reset: boolean): EventFrame {
  return new EventFrame('snapshot', id, () => (reset ? '{"reset":true}' : '{}'))
}

/** One commit among all campaigns. */
export function overviewFrame(change: OverviewChange, id: string): EventFrame {
  if (!('overview' in change)) return goneFrame(change, id)
  const { campaign_id, revision, progress } = change.overview
  const previous = change.type === 'changed' ? { previous_revision: change.previous_revision } : {}
  const data = () => JSON.stringify({ campaign_id, revision, ...previous, progress })
  return new EventFrame(change.type === 'changed' ? 'change' : 'created', id, data)
}
