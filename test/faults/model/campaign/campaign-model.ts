/** What the design says of one campaign: plain values, and what each call makes of them. */

import { isDeepStrictEqual } from 'node:util'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment, PastAttempt } from '#campaignd/domain/experiment/experiment.js'
import type { CampaignDraft, ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import type { CampaignPatch } from '#campaignd/domain/operations/patch-campaign.js'
import type { RetryRequest } from '#campaignd/domain/operations/retry.js'
import { readTime } from '../arguments/times.js'
import { keptError, keptPastError, requeued } from './experiment-model.js'
import { Refused } from './refused.js'

/** A manifest but for what is opaque, and what says whether another draft defines the same. */
export interface PlainCampaign extends Omit<CampaignManifest, 'uid' | 'definition_digest'> {
  readonly definition: string
}

export interface Decided {
  /** The very same when nothing changes; null: it is deleted. */
  readonly campaign: PlainCampaign | null
  readonly status: number
  readonly body?: unknown
}

export function revised(before: PlainCampaign, now: string, changes: Partial<PlainCampaign>): PlainCampaign {
  return { ...before, ...changes, updated_at: now, revision: before.revision + 1 }
}

/** @throws Refused */
export function created(draft: CampaignDraft, id: string, now: string): PlainCampaign {
  const experiments = drafted(draft.experiments, 1)
  if ((draft.total_experiments ?? experiments.length) !== experiments.length) throw new Refused(400, 'invalid')
  return {
    campaign_id: id,
    campaign_name: draft.campaign_name,
    created_at: draft.created_at === undefined ? now : readTime(draft.created_at),
    updated_at: now,
    config_hash: draft.config_hash,
    total_experiments: experiments.length,
    revision: 1,
    settings: settingsOf({ max_retries: 0, lease_seconds: 60, paused: false, ...draft.settings }),
    labels: draft.labels ?? {},
    definition: JSON.stringify([draft.config_hash, draft.experiments.map(definitionOf)]),
    experiments,
  }
}

/** @throws Refused for a patch that says nothing, or would stop what runs in a campaign that goes on */
export function patched(campaign: PlainCampaign, patch: CampaignPatch, now: string): PlainCampaign {
  if (Object.keys(patch).length === 0) throw new Refused(400, 'invalid')
  const settings = settingsOf({ ...campaign.settings, ...patch.settings })
  if (patch.settings?.cancel_running === true && !settings.paused) throw new Refused(400, 'invalid')
  const labels: Record<string, string> = { ...campaign.labels }
  for (const [key, value] of Object.entries(patch.labels ?? {})) {
    if (value === null) Reflect.deleteProperty(labels, key)
    else labels[key] = value
  }
  const campaign_name = patch.campaign_name ?? campaign.campaign_name
  const changes = { campaign_name, settings, labels }
  return isDeepStrictEqual({ ...campaign, ...changes }, campaign) ? campaign : revised(campaign, now, changes)
}

/** @throws Refused when one is there with another definition, or is given twice */
export function appended(campaign: PlainCampaign, drafts: readonly ExperimentDraft[], now: string): Decided {
  const revision = campaign.revision + 1
  const all = drafted(drafts, revision)
  const there = new Map(campaign.experiments.map((one) => [one.exp_id, one]))
  for (const one of all) {
    const known = there.get(one.exp_id)
    if (known !== undefined && definitionOf(known) !== definitionOf(one)) {
      throw new Refused(409, 'experiment-exists', { experiment: known })
    }
  }
  const fresh = all.filter(({ exp_id }) => !there.has(exp_id))
  const experiments = all.map((one) => there.get(one.exp_id) ?? one)
  if (fresh.length === 0) return { campaign, status: 200, body: { experiments, revision: campaign.revision } }
  const list = [...campaign.experiments, ...fresh]
  const after = revised(campaign, now, { experiments: list, total_experiments: list.length })
  return { campaign: after, status: 201, body: { experiments, revision } }
}

/** @throws Refused for completed ones that were not asked for twice */
export function retried(campaign: PlainCampaign, request: RetryRequest, now: string): Decided {
  const { status = 'failed', include_completed = false, exp_ids, failure_kind } = request
  if (status === 'completed' && !include_completed) throw new Refused(400, 'invalid')
  const isWanted = (one: Experiment) =>
    (one.status === status || (include_completed && one.status === 'completed')) &&
    (one.status !== 'failed' || failure_kind === undefined || failure_kind === one.failure_kind)
  const wanted = campaign.experiments.filter((one) => exp_ids?.includes(one.exp_id) !== false && isWanted(one))
  const ids = wanted.map(({ exp_id }) => exp_id)
  const skipped = [...new Set(exp_ids)].filter((id) => !ids.includes(id)).map((exp_id) => ({ exp_id, reason: '' }))
  const changes = ids.length > 0 && request.dry_run !== true
  const revision = campaign.revision + Number(changes)
  const experiments = campaign.experiments.map((one) =>
    ids.includes(one.exp_id) ? { ...requeued(one, now), revision } : one,
  )
  const body = { retried: ids, skipped, revision }
  return { campaign: changes ? revised(campaign, now, { experiments }) : campaign, status: 200, body }
}

/** Running ones are only cancelled while the campaign is paused. */
function settingsOf({ cancel_running, ...settings }: PlainCampaign['settings']): PlainCampaign['settings'] {
  return settings.paused && cancel_running === true ? { ...settings, cancel_running } : settings
}

function definedIn({
  exp_id,
  config_name,
  config_path,
  config_hash,
  backend,
  container,
  cycle_index,
}: ExperimentDraft) {
  return { exp_id, config_name, config_path, config_hash, backend, container, cycle_index }
}

function definitionOf(one: ExperimentDraft): string {
  return JSON.stringify(definedIn(one))
}

function drafted(drafts: readonly ExperimentDraft[], revision: number): Experiment[] {
  if (new Set(drafts.map(({ exp_id }) => exp_id)).size < drafts.length) throw new Refused(400, 'invalid')
  return drafts.map((draft): Experiment => {
    const { status = 'pending', result_path = null, worker = null, attempts = [] } = draft
    const attempt = attemptOf(draft)
    if (status !== 'failed' && (draft.failure_kind ?? null) !== null) throw new Refused(400, 'invalid')
    const failure_kind = status === 'failed' ? (draft.failure_kind ?? 'error') : null
    const counted = { attempt, retry_count: Math.max(0, attempt - 1), revision }
    const kept = { error: keptError(draft.error), failure_kind, lease: null, attempts: attempts.map(pastOf) }
    return { ...definedIn(draft), status, result_path, worker, ...timesOf(draft), ...counted, ...kept }
  })
}

function attemptOf({ status = 'pending', attempt, retry_count, started_at }: ExperimentDraft): number {
  const waits = status === 'pending' || status === 'skipped'
  if (attempt === undefined) {
    const isNew = waits && (started_at ?? null) === null && (retry_count ?? 0) === 0
    return isNew ? 0 : (retry_count ?? 0) + 1
  }
  const contradicts = retry_count !== undefined && retry_count !== Math.max(0, attempt - 1)
  if (contradicts || (attempt === 0 && !waits)) throw new Refused(400, 'invalid')
  return attempt
}

function pastOf(past: PastAttempt): PastAttempt {
  return { ...past, ...timesOf(past), error: keptPastError(past.error) }
}

function timesOf(given: Pick<ExperimentDraft, 'started_at' | 'completed_at'>) {
  const read = (time: string | null | undefined) => (time === undefined || time === null ? null : readTime(time))
  return { started_at: read(given.started_at), completed_at: read(given.completed_at) }
}
