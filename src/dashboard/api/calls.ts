/** The calls that the dashboard makes. */

import type { BenchedWorker } from '../../domain/campaign/benching.ts'
import type { CampaignHeader, CampaignManifest } from '../../domain/campaign/manifest.ts'
import type { Retried, RetryRequest } from '../../domain/operations/retry.ts'
import type { CorruptCampaign, ListedCampaign } from '../../domain/views/campaign-list.ts'
import type { Progress } from '../../domain/views/progress.ts'
import type { RunningExperiment } from '../../domain/views/running-experiment.ts'
import { type ApiResponse, call, callIfChanged } from './client.ts'

/** The largest page that the API returns. */
const PAGE = 1000

export type { BenchedWorker, CorruptCampaign, RunningExperiment }

export function campaignPath(campaignId: string): string {
  return `/campaigns/${encodeURIComponent(campaignId)}`
}

/** All campaigns, archived ones too; null while the first page, and so the newest change, still has the tag. */
export async function listCampaigns(
  etag: string | null,
  signal: AbortSignal,
): Promise<ApiResponse<ListedCampaign[]> | null> {
  interface Page {
    readonly campaigns: readonly ListedCampaign[]
    readonly next_page_token: string | null
  }
  const path = `/campaigns?archived=any&limit=${PAGE}`
  const first = await callIfChanged<Page>(path, { etag, signal })
  if (first === null) return null
  const found = [...first.body.campaigns]
  for (let next = first.body.next_page_token; next !== null;) {
    const page: Page = await call(`${path}&page_token=${encodeURIComponent(next)}`, { signal })
    found.push(...page.campaigns)
    next = page.next_page_token
  }
  return { body: found, etag: first.etag }
}

export function readManifest(id: string, signal: AbortSignal): Promise<CampaignManifest> {
  return call(campaignPath(id), { signal })
}

export function readProgress(
  id: string,
  etag: string | null,
  signal: AbortSignal,
): Promise<ApiResponse<Progress> | null> {
  return callIfChanged(`${campaignPath(id)}/progress`, { etag, signal })
}

export interface Workers {
  readonly workers: readonly RunningExperiment[]
  readonly benched: readonly BenchedWorker[]
}

/** The running experiments with their workers, and who is benched. */
export async function listWorkers(id: string, signal: AbortSignal): Promise<Workers> {
  const workers: RunningExperiment[] = []
  let benched: readonly BenchedWorker[] = []
  for (let token: string | null = ''; token !== null;) {
    const rest = token === '' ? '' : `&page_token=${encodeURIComponent(token)}`
    const page: Workers & { readonly next_page_token: string | null } = await call(
      `${campaignPath(id)}/workers?limit=${PAGE}${rest}`,
      { signal },
    )
    workers.push(...page.workers)
    benched = page.benched
    token = page.next_page_token
  }
  return { workers, benched }
}

export function retryExperiments(id: string, body: RetryRequest): Promise<Retried> {
  return call(`${campaignPath(id)}/retry`, { method: 'POST', body })
}

export interface PausePatch {
  readonly paused: boolean
  /** Tells running workers to stop. */
  readonly cancelRunning?: boolean
}

/** @returns the header as it is then */
export async function patchPaused(id: string, { paused, cancelRunning = false }: PausePatch): Promise<CampaignHeader> {
  const path = `${campaignPath(id)}${cancelRunning ? '?cancel_running=true' : ''}`
  const { experiments: _, ...header }: CampaignManifest = await call(path, {
    method: 'PATCH',
    body: { settings: { paused } },
  })
  return header
}
