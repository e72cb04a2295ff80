/** What the design says of one campaign: plain values, and what each call makes of them. */

import { isDeepStrictEqual } from 'node:util'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment, PastAttempt } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentDraft, WholeDraft } from '#campaignd/domain/operations/draft.js'
import type { CampaignPatch } from '#campaignd/domain/operations/patch-campaign.js'
import type { RetryRequest } from '#campaignd/domain/operations/retry.js'
import { readTime, sortable } from '../arguments/times.js'
import { spentSoFar } from './budget-model.js'
import { keptError, keptPastError, type Moment, requeued } from './experiment-model.js'
import { Refused } from './refused.js'

type Opaque = 'uid' | 'body_digest' | 'definition_digest'

/** A manifest but for what is opaque, and what says whether another body is the same. */
export interface PlainCampaign extends Omit<CampaignManifest, Opaque> {
  readonly body: string
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

const DEFAULTS: PlainCampaign['settings'] = {
  max_retries: 0,
  max_losses: 3,
  worker_failure_limit: 5,
  lease_seconds: 60,
  priority: 0,
  paused: false,
}

interface Birth {
  readonly id: string
  readonly now: string
  /** What is known of the key of the call; null: it had none. */
  readonly created_by: string | null
}

export function momentOf({ revision, cancel_running }: PlainCampaign, now: string): Moment {
  return { now, revision: revision + 1, cancels: cancel_running }
}

/** @throws Refused */
export function created(draft: WholeDraft, { id, now, created_by }: Birth): PlainCampaign {
  const experiments = drafted(draft.experiments, 1)
  if ((draft.total_experiments ?? experiments.length) !== experiments.length) throw new Refused(400, 'invalid')
  const { campaign_name, config_hash, labels = {}, archived = false, source = null } = draft
  const kept = { config_hash, settings: { ...DEFAULTS, ...draft.settings }, labels, archived, source }
  const { created_at, updated_at } = { created_at: timeOf(draft.created_at), updated_at: timeOf(draft.updated_at) }
  const isAhead = updated_at !== null && sortable(updated_at) > sortable(now)
  return {
    campaign_id: id,
    campaign_name,
    created_at: created_at ?? now,
    updated_at: isAhead ? now : (updated_at ?? now),
    total_experiments: experiments.length,
    revision: 1,
    format: 2,
    ...kept,
    imported_at: draft.experiments.some(hasHistory) ? now : null,
    cancel_running: false,
    bench_lifted: {},
    created_by,
    // An empty source says as little as none.
    body: JSON.stringify([campaign_name, created_at, updated_at, { ...kept, source: said(source) }, experiments]),
    experiments,
  }
}

function said(source: WholeDraft['source']): WholeDraft['source'] {
  return source !== null && Object.keys(source ?? {}).length === 0 ? null : source
}

/** It did more than wait before it was created here. */
function hasHistory({ status, attempt, retry_count }: ExperimentDraft): boolean {
  return (status ?? 'pending') !== 'pending' || (attempt ?? 0) + (retry_count ?? 0) > 0
}

export interface PatchCall {
  readonly patch: CampaignPatch
  /** Whether its workers are to stop; undefined: nothing is said of it. */
  readonly cancels: boolean | undefined
}

/** @throws Refused for a patch that says nothing, or would stop what runs in a campaign that goes on */
export function patched(campaign: PlainCampaign, { patch, cancels }: PatchCall, now: string): PlainCampaign {
  if (Object.keys(patch).length === 0 && cancels === undefined) throw new Refused(400, 'invalid')
  const settings = { ...campaign.settings, ...patch.settings }
  if (cancels === true && !settings.paused) throw new Refused(400, 'invalid')
  const cancel_running = settings.paused ? (cancels ?? campaign.cancel_running) : false
  const labels: Record<string, string> = { ...campaign.labels }
  for (const [key, value] of Object.entries(patch.labels ?? {})) {
    if (value === null) Reflect.deleteProperty(labels, key)
    else labels[key] = value
  }
  const { campaign_name = campaign.campaign_name, archived = campaign.archived } = patch
  const changes = { campaign_name, settings, labels, archived, cancel_running }
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
    ids.includes(one.exp_id) ? { ...requeued(one, now, 'retry'), actor: null, revision } : one,
  )
  const body = { retried: ids, skipped, revision }
  return { campaign: changes ? revised(campaign, now, { experiments }) : campaign, status: 200, body }
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

type PastDraft = NonNullable<ExperimentDraft['attempts']>[number]

export function drafted(drafts: readonly ExperimentDraft[], revision: number): Experiment[] {
  if (new Set(drafts.map(({ exp_id }) => exp_id)).size < drafts.length) throw new Refused(400, 'invalid')
  return drafts.map((draft): Experiment => {
    const { status = 'pending', result_path = null, worker = null, actor = null, metrics = null } = draft
    const attempt = attemptOf(draft)
    if (status !== 'failed' && (draft.failure_kind ?? null) !== null) throw new Refused(400, 'invalid')
    const failure_kind = status === 'failed' ? (draft.failure_kind ?? 'error') : null
    const attempts = (draft.attempts ?? []).map(pastOf)
    if (!isInOrder(attempts, status, attempt)) throw new Refused(400, 'invalid')
    const spent = spentSoFar({ status, failure_kind, attempt, attempts })
    return {
      ...definedIn(draft),
      ...{ status, result_path, worker, actor, metrics, ...timesOf(draft), error: keptError(draft.error) },
      ...{ attempt, retry_count: Math.max(0, attempt - 1), revision, failure_kind, lease: null, attempts },
      failures: draft.failures ?? spent.failures,
      losses: draft.losses ?? spent.losses,
    }
  })
}

/** Each closed attempt is later than the one before it, and none later than the current one; which runs, or has ended, once. */
function isInOrder(attempts: readonly PastAttempt[], status: Experiment['status'], attempt: number): boolean {
  const numbers = [
    0,
    ...attempts.map((past) => past.attempt),
    attempt + Number(['pending', 'skipped'].includes(status)),
  ]
  return attempts.length === 0 || numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0))
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

/** Written out, so that two that say the same read the same. */
function pastOf(past: PastDraft): PastAttempt {
  const { attempt, worker, actor = null, status, failure_kind, result_path, metrics = null, closed_by = null } = past
  const error = keptPastError(past.error)
  return { attempt, worker, actor, status, failure_kind, error, result_path, metrics, ...timesOf(past), closed_by }
}

function timesOf(given: Pick<ExperimentDraft, 'started_at' | 'completed_at'>) {
  return { started_at: timeOf(given.started_at), completed_at: timeOf(given.completed_at) }
}

function timeOf(given: string | null | undefined): string | null {
  return given === undefined || given === null ? null : readTime(given)
}
