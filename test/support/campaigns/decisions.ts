import type { Campaign, Decide, Decision } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { atOnce, isLongWork } from '#campaignd/domain/long-work.js'
import { createManifest } from '#campaignd/domain/operations/create.js'
import type { WholeDraft } from '#campaignd/domain/operations/draft.js'
import { draftExperiments } from '#campaignd/domain/operations/draft-experiment.js'
import type { CampaignQuery } from '#campaignd/domain/views/campaign-list.js'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import { campaignDraft, experimentDraft } from './drafts.js'

/** Minimal decisions for tests of stores. Each results in the revision that it leaves. */

export const NOW = '2026-03-01T12:00:00.000Z'

/** Escapes, characters of several bytes, and line breaks that JSON allows. */
export const UNICODE: Readonly<Record<string, string>> = {
  'Übung "eins"\\': 'größer, 日本語, 🎈👩‍🔬',
  'zwei\n\t\u0000': '\u2028\u2029\u007f\ufeff',
}

/** A manifest at revision 1, with the experiments 0001, 0002 and so on. */
export function newManifest(id: string, experiments: number, given: Partial<WholeDraft> = {}): CampaignManifest {
  const draft = campaignDraft(experiments, { campaign_id: id, ...given })
  return atOnce(
    createManifest(draft, { now: NOW, timezone: 'UTC', uid: '5f0c1e9a7b3d2468', idSuffix: '', createdBy: null }),
  )
}

/** Sets the result path of an experiment; no change when it has it. */
export function report(expId: string, path: string): Decide<number> {
  return (campaign) => {
    const before = campaign.get(expId)
    if (before === undefined) throw new Error('no such experiment')
    if (before.result_path === path) return repeat(campaign)
    const after = { ...before, result_path: path, revision: campaign.nextRevision }
    return { changes: { at: NOW, changed: [after] }, result: campaign.nextRevision }
  }
}

/** Appends those of the experiments that are missing. */
export function append(...expIds: readonly string[]): Decide<number> {
  return (campaign) => {
    const missing = expIds.filter((id) => campaign.get(id) === undefined).map((id) => experimentDraft(id))
    if (missing.length === 0) return repeat(campaign)
    const drafting = { revision: campaign.nextRevision, timezone: 'UTC', pointer: '' }
    return {
      changes: { at: NOW, appended: atOnce(draftExperiments(missing, drafting)) },
      result: campaign.nextRevision,
    }
  }
}

/** Replaces the labels. */
export function relabel(labels: Readonly<Record<string, string>>, result?: number): Decide<number> {
  return ({ nextRevision }) => ({ changes: { at: NOW, header: { labels } }, result: result ?? nextRevision })
}

/** What is decided, in one go. */
export function decided<T>(decide: Decide<T>, campaign: Campaign, at: string): Decision<T> {
  const decision = decide(campaign, at)
  return isLongWork(decision) ? atOnce(decision) : decision
}

export function refuse(reason: string): Decide<number> {
  return () => {
    throw new Error(reason)
  }
}

/** Changes nothing. */
export function repeat({ header }: Campaign): Decision<number> {
  return { changes: null, result: header.revision }
}

/** The ids of all campaigns that match, page by page. */
export async function listAll(store: CampaignStore, query: CampaignQuery): Promise<string[]> {
  const ids: string[] = []
  let { after } = query
  for (;;) {
    const { campaigns, next } = await store.list({ ...query, ...(after === undefined ? {} : { after }) })
    ids.push(...campaigns.map(({ campaign_id }) => campaign_id))
    if (next === null) return ids
    after = next
  }
}
