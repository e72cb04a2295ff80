import { type TProperties, Type } from '@sinclair/typebox'
import { BenchedWorker } from '../domain/campaign/benching.ts'
import type { Campaign } from '../domain/campaign/campaign.ts'
import { CampaignId, headerProperties } from '../domain/campaign/manifest.ts'
import { parseVersion, versionText } from '../domain/campaign/version.ts'
import { CampaignManifestEntry, type Experiment, Timestamp } from '../domain/experiment/experiment.ts'
import { atOnce, isBreak, type LongWork } from '../domain/long-work.ts'
import { Described, ref } from '../domain/schema.ts'
import { changesSince } from '../domain/views/changes-since.ts'
import { Progress } from '../domain/views/progress.ts'
import type { CampaignChange, Committed, OverviewChange } from '../repository/campaign-store.ts'
import { EventFrame } from './event-frame.ts'
import { EventSequence } from './event-sequence.ts'
import { BENCHED, benchedJson, progressJson } from './progress-json.ts'

const { revision } = headerProperties

const benched = Type.Array(ref(BenchedWorker), {
  maxItems: BENCHED,
  description:
    'Workers that get nothing for a while as of this revision, the first by name; the list of workers has all of them',
})

export const ChangeEvent = eventData('ChangeEvent', '`event: change` of a campaign: one commit', {
  revision,
  previous_revision: Described(revision, 'The revision of the event before this one: a gap shows that you missed one'),
  progress: ref(Progress),
  benched,
  experiments: Type.Array(ref(CampaignManifestEntry), { description: 'Those that changed or were added' }),
  part: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        'Of a change above 256 KiB, which is told in several events: which one this is. Only the last has an id',
      examples: [1],
    }),
  ),
  parts: Type.Optional(Type.Integer({ minimum: 2, description: 'How many events tell this change', examples: [3] })),
})

const reset = Type.Optional(
  Type.Boolean({
    description: 'True when you asked to resume, or read too slowly, and missed too much: read everything anew',
    examples: [true],
  }),
)

export const SnapshotEvent = eventData('SnapshotEvent', '`event: snapshot` of a campaign: its current state', {
  revision,
  created_at: Timestamp,
  progress: ref(Progress),
  benched,
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
export const MAX_MISSED = 2000

/** A larger change is told in several events. */
const MAX_EVENT_BYTES = 256 * 1024
/** Of them for experiments, however much the progress takes. */
const MIN_PART_BYTES = 64 * 1024

const COMMA = Buffer.from(',')
const END = Buffer.from(']}')

type Changed = Committed & Pick<Extract<CampaignChange, { type: 'changed' }>, 'previous_revision' | 'experiments'>
type Gone = Extract<CampaignChange, { type: 'deleted' | 'corrupted' }>

/** One change: a commit, or all that a reader missed. */
export function* changeEvents(change: Changed): LongWork<EventSequence> {
  const { header } = change.campaign
  const { ends, size } = yield* partsOf(change)
  const frames = ends.map((end, index) => {
    const isLast = index === ends.length - 1
    const part = ends.length === 1 ? '' : `,"part":${index + 1},"parts":${ends.length}`
    return new EventFrame('change', isLast ? versionText(header) : null, () =>
      changeData(change, part, change.experiments.slice(ends[index - 1] ?? 0, end)),
    )
  })
  return new EventSequence(frames, header.revision, { state: change, size })
}

/** Which experiments each event of a change ends before, and the bytes of all. */
function* partsOf(change: Changed): LongWork<{ readonly ends: readonly number[]; readonly size: number }> {
  const limit = Math.max(MIN_PART_BYTES, MAX_EVENT_BYTES - headSize(change.campaign))
  const ends: number[] = []
  let size = 0
  let partSize = 0
  for (const [index, experiment] of change.experiments.entries()) {
    const length = sizeOf(change, experiment)
    if (partSize > 0 && partSize + length > limit) {
      ends.push(index)
      partSize = 0
    }
    partSize += length
    size += length
    if (isBreak(index)) yield
  }
  return { ends: [...ends, change.experiments.length], size }
}

function changeData(change: Changed, part: string, experiments: readonly Experiment[]): Uint8Array[] {
  const { campaign, previous_revision } = change
  const revisions = `"revision":${campaign.header.revision},"previous_revision":${previous_revision}`
  const start = `{${revisions}${part},"progress":${progressJson(campaign)},"benched":${benchedJson(campaign)},"experiments":[`
  const items = experiments.flatMap((one) => [COMMA, experimentJson(change, one)]).slice(1)
  return [Buffer.from(start), ...items, END]
}

/** Bytes of what each event of a change says of its campaign. */
function headSize(campaign: Campaign): number {
  return Buffer.byteLength(progressJson(campaign)) + Buffer.byteLength(benchedJson(campaign))
}

/** Out of the committed bytes, where the store keeps them. */
function experimentJson({ campaign, encoded }: Committed, experiment: Experiment): Uint8Array {
  const position = campaign.positionOf(experiment.exp_id)
  return encoded === null || position === undefined
    ? Buffer.from(JSON.stringify(experiment))
    : encoded.experiment(position)
}

function sizeOf({ campaign, encoded }: Committed, experiment: Experiment): number {
  const position = encoded === null ? undefined : campaign.positionOf(experiment.exp_id)
  return encoded === null || position === undefined
    ? Buffer.byteLength(JSON.stringify(experiment))
    : encoded.sizeOf(position)
}

/**
 * The first events of a reader.
 * @param lastEventId the version that the reader knows; null: none
 */
export function firstEvents(committed: Committed, lastEventId: string | null): EventSequence {
  if (lastEventId === null) return snapshotEvents(committed, false)
  const { uid, revision } = committed.campaign.header
  const known = parseVersion(lastEventId)
  const isKnown = known?.uid === uid && known.revision <= revision
  return isKnown ? missedEvents(committed, known.revision) : snapshotEvents(committed, true)
}

/**
 * What changed after a revision of this campaign.
 * @returns one change with everything, nothing if nothing changed; a snapshot when it is too much
 */
export function missedEvents(committed: Committed, known: number): EventSequence {
  const { campaign } = committed
  const { revision, total_experiments } = campaign.header
  if (known === revision) return new EventSequence([], revision)
  const most = Math.min(MAX_MISSED, Math.floor(total_experiments / 2))
  const experiments = changesSince(campaign, known, most)
  if (experiments === null) return snapshotEvents(committed, true)
  return atOnce(changeEvents({ ...committed, previous_revision: known, experiments }))
}

export function snapshotEvents({ campaign }: Committed, reset: boolean): EventSequence {
  const { revision, created_at } = campaign.header
  const data = () => {
    const rest = reset ? ',"reset":true' : ''
    const fields = `"revision":${revision},"created_at":${JSON.stringify(created_at)}`
    return `{${fields},"progress":${progressJson(campaign)},"benched":${benchedJson(campaign)}${rest}}`
  }
  return new EventSequence([new EventFrame('snapshot', versionText(campaign.header), data)], revision)
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
  const { overview } = change
  const { campaign_id, revision } = overview
  const previous = change.type === 'changed' ? { previous_revision: change.previous_revision } : {}
  const data = () => JSON.stringify({ campaign_id, revision, ...previous, progress: overview.progress })
  return new EventFrame(change.type === 'changed' ? 'change' : 'created', id, data)
}
