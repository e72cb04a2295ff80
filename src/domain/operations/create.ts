import { createHash } from 'node:crypto'
import { Campaign, type Revision } from '../campaign/campaign.ts'
import { campaignFull, hasRoomToGrow } from '../campaign/campaign-size.ts'
import { type CampaignManifest, consistentSettings, DEFAULT_SETTINGS } from '../campaign/manifest.ts'
import { invalid, jsonPointer } from '../errors.ts'
import { requeue } from '../experiment/attempt.ts'
import { DEFINITION_KEYS, type Experiment } from '../experiment/experiment.ts'
import { lineSize } from '../indexes/experiment-sequence.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import type { CampaignDraft, ExperimentDraft } from './draft.ts'
import { draftExperiments } from './draft-experiment.ts'
import { readTime } from './report-request.ts'

/** What a creation needs beside the draft. */
export interface Creation {
  readonly now: string
  /** IANA name, for times without an offset. */
  readonly timezone: string
  /** 16 hex digits that no other campaign has or had. */
  readonly uid: string
  /** 8 hex digits at the end of a generated `campaign_id`: random, or from an idempotency key. */
  readonly idSuffix: string
}

/**
 * The manifest that a draft describes, at revision 1.
 * @throws DomainError `invalid` at the first field that is not consistent, is not unique, or is no time
 */
export function* createManifest(
  draft: CampaignDraft,
  { now, timezone, uid, idSuffix }: Creation,
): LongWork<CampaignManifest> {
  const total_experiments = draft.experiments.length
  if (draft.total_experiments !== undefined && draft.total_experiments !== total_experiments) {
    const detail = `is ${draft.total_experiments}, but there are ${total_experiments} experiments`
    throw invalid({ pointer: '/total_experiments', detail })
  }
  return {
    campaign_id: draft.campaign_id ?? `${slug(draft.campaign_name)}-${idSuffix}`,
    campaign_name: draft.campaign_name,
    created_at: draft.created_at === undefined ? now : readTime(draft.created_at, timezone, '/created_at'),
    updated_at: now,
    config_hash: draft.config_hash,
    total_experiments,
    revision: 1,
    uid,
    settings: consistentSettings({ ...DEFAULT_SETTINGS, ...draft.settings }),
    labels: draft.labels ?? {},
    definition_digest: yield* definitionDigest(draft.config_hash, draft.experiments),
    experiments: yield* draftExperiments(draft.experiments, {
      revision: 1,
      timezone,
      pointer: jsonPointer('experiments'),
    }),
  }
}

/**
 * The campaign of a new manifest. What counts against its limit is what its experiments have before they run: so what a campaign
 * became in its time can be exported and created again.
 * @param limit bytes of its manifest
 * @throws DomainError `campaign-full`
 */
export function* newCampaign(manifest: CampaignManifest, limit: number): LongWork<Revision> {
  const created = yield* Campaign.create(manifest, limit)
  const { campaign } = created
  if (hasRoomToGrow(campaign.bytes, limit)) return created
  let bytes = campaign.bytes - campaign.experiments.summary.bytes
  for (const [position, experiment] of manifest.experiments.entries()) {
    bytes += lineSize(JSON.stringify(beforeItRan(experiment)))
    if (isBreak(position)) yield
  }
  if (hasRoomToGrow(bytes, limit)) return created
  const what = `Campaign ${manifest.campaign_id} with its ${manifest.total_experiments} experiments`
  throw campaignFull(what, bytes, limit)
}

function beforeItRan(experiment: Experiment): Experiment {
  return { ...requeue(experiment, experiment.completed_at ?? ''), attempt: 0, retry_count: 0, attempts: [] }
}

/** sha256, in hex, over config_hash and the seven defining fields of each experiment in order. */
export function* definitionDigest(configHash: string, experiments: readonly ExperimentDraft[]): LongWork<string> {
  const hash = createHash('sha256').update(JSON.stringify(configHash))
  for (const [position, experiment] of experiments.entries()) {
    hash.update(JSON.stringify(DEFINITION_KEYS.map((key) => experiment[key])))
    if (isBreak(position)) yield
  }
  return hash.digest('hex')
}

/** The start of a generated id: lower case letters, digits and dashes; 54 characters leave room for the suffix. */
function slug(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{Mn}/gu, '')
  const dashed = plain.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const trimmed = dashed.slice(0, 54).replace(/^-+|-+$/g, '')
  return trimmed === '' ? 'campaign' : trimmed
}
