import { createHash } from 'node:crypto'
import { type CampaignManifest, consistentSettings, DEFAULT_SETTINGS } from '../campaign/manifest.ts'
import { invalid, jsonPointer } from '../errors.ts'
import { DEFINITION_KEYS } from '../experiment/experiment.ts'
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
export function createManifest(draft: CampaignDraft, { now, timezone, uid, idSuffix }: Creation): CampaignManifest {
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
    definition_digest: definitionDigest(draft.config_hash, draft.experiments),
    experiments: draftExperiments(draft.experiments, { revision: 1, timezone, pointer: jsonPointer('experiments') }),
  }
}

/** sha256, in hex, over config_hash and the seven defining fields of each experiment in order. */
export function definitionDigest(configHash: string, experiments: readonly ExperimentDraft[]): string {
  const hash = createHash('sha256').update(JSON.stringify(configHash))
  for (const experiment of experiments) hash.update(JSON.stringify(DEFINITION_KEYS.map((key) => experiment[key])))
  return hash.digest('hex')
}

/** The start of a generated id: lower case letters, digits and dashes; 54 characters leave room for the suffix. */
function slug(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{Mn}/gu, '')
  const dashed = plain.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const trimmed = dashed.slice(0, 54).replace(/^-+|-+$/g, '')
  return trimmed === '' ? 'campaign' : trimmed
}
