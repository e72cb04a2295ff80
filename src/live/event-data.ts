import { Type } from '@sinclair/typebox'
import type { Campaign } from '../domain/campaign/campaign.ts'
import { CampaignManifestEntry, Timestamp } from '../domain/experiment/experiment.ts'
import { CampaignId, headerProperties } from '../domain/campaign/manifest.ts'
import { parseVersion, versionText } from '../domain/campaign/version.ts'
import { Described, ref } from '../domain/schema.ts'
import { changesSince } from '../domain/views/changes-since.ts'
import { Progress } from '../domain/views/progress.ts'
import type { CampaignChange, OverviewChange } from '../repository/campaign-store.ts'
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

/** More missed changes than this are told by a snapshot: to read the campaign anew is less for both sides. */
const MOST_MISSED = 2000

/** Half of what may wait for a reader: one that is told more at once would be cut off, and again when it comes back. */
const MOST_BYTES = 512 * 1024

type Changed = Extract<CampaignChange, { type: 'changed' }>
type Gone = Extract<CampaignChange, { type: 'deleted' | 'corrupted' }>

/** One commit of a campaign. */
export function changeFrame({ previous_revision, campaign, experiments }: Omit<Changed, 'type'>): EventFrame {
  const { revision } = campaign.header
  return new EventFrame('change', versionText(campaign.header), () => {
    const revisions = `"revision":${revision},"previous_revision":${previous_revision}`
    return `{${revisions},"progress":${progressJson(campaign)},"experiments":${JSON.stringify(experiments)}}`
  })
}

/**
 * What a reader is told first, who knows the campaign at the version of an event.
 * @param lastEventId null: it knows nothing
 * @returns one change with all that it missed, nothing if it missed nothing; a snapshot when that cannot be told, or is too much
 */
export function catchUpFrames(campaign: Campaign, lastEventId: string | null): readonly EventFrame[] {
  if (lastEventId === null) return [snapshotFrame(campaign, false)]
  const { uid, revision, total_experiments } = campaign.header
  const known = parseVersion(lastEventId)
  if (known?.uid !== uid || known.revision > revision) return [snapshotFrame(campaign, true)]
  if (known.revision === revision) return []
  const most = Math.min(MOST_MISSED, Math.floor(total_experiments / 2))
  const experiments = changesSince(campaign, known.revision, most)
  if (experiments === null) return [snapshotFrame(campaign, true)]
  const missed = [changeFrame({ campaign, previous_revision: known.revision, experiments })]
  return isTooMuch(missed) ? [snapshotFrame(campaign, true)] : missed
}

/** Whether these are more than a reader may be told at once. */
export function isTooMuch(frames: readonly EventFrame[]): boolean {
  return frames.reduce((sum, { bytes }) => sum + bytes.length, 0) > MOST_BYTES
}

function snapshotFrame(campaign: Campaign, reset: boolean): EventFrame {
  const { revision, created_at } = campaign.header
  return new EventFrame('snapshot', versionText(campaign.header), () => {
    const rest = reset ? ',"reset":true' : ''
    const fields = `"revision":${revision},"created_at":${JSON.stringify(created_at)}`
    return `{${fields},"progress":${progressJson(campaign)}${rest}}`
  })
}

/** The last event of a campaign that is no more. */
export function goneFrame({ type, campaign_id }: Gone, id: string | null): EventFrame {
  return new EventFrame(type === 'deleted' ? 'deleted' : 'corrupt', id, () => JSON.stringify({ campaign_id }))
}

/** The first event among all campaigns. */
export function beginningFrame(id: string, reset: boolean): EventFrame {
  return new EventFrame('snapshot', id, () => (reset ? '{"reset":true}' : '{}'))
}

/** What is told of a campaign among all campaigns. */
export function overviewFrame(change: OverviewChange, id: string): EventFrame {
  if (!('overview' in change)) return goneFrame(change, id)
  const { overview } = change
  const previous = change.type === 'changed' ? { previous_revision: change.previous_revision } : {}
  return new EventFrame(change.type === 'created' ? 'created' : 'change', id, () =>
    JSON.stringify({
      campaign_id: overview.campaign_id,
      revision: overview.revision,
      ...previous,
      progress: overview.progress,
    }),
  )
}
