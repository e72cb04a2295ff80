import type { CampaignSize } from '../domain/campaign/campaign-size.ts'
import type { Campaign, Decide } from '../domain/campaign/campaign.ts'
import { requireVersion, type Precondition, type Version } from '../domain/campaign/version.ts'
import { DomainError } from '../domain/errors.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import { appendExperiments, type Appended } from '../domain/operations/append.ts'
import type { ClaimRequest } from '../domain/operations/claim.ts'
import type { CampaignDraft, ExperimentDraft } from '../domain/operations/draft.ts'
import type { Heartbeat } from '../domain/operations/heartbeat.ts'
import { patchCampaign, type CampaignPatch } from '../domain/operations/patch-campaign.ts'
import { updateBatch, type BatchItem, type BatchResult } from '../domain/operations/report-batch.ts'
import type { ExperimentReport } from '../domain/operations/report-request.ts'
import { updateExperiment } from '../domain/operations/report.ts'
import { resume, type Resumed, type ResumeRequest } from '../domain/operations/resume.ts'
import { retry, type Retried, type RetryRequest } from '../domain/operations/retry.ts'
import type { CampaignPage, CampaignQuery } from '../domain/views/campaign-list.ts'
import type { LeaseKeeper, LeaseTime, RenewedLease } from '../leases/lease-keeper.ts'
import type { ChangeWaiter } from '../live/change-waiter.ts'
import type { CampaignStore, Committed } from '../repository/campaign-store.ts'
import type { MaybePromise } from '../repository/maybe-promise.ts'
import { claimExperiments, type ClaimResult } from './claim-experiments.ts'
import { createCampaign, type CreatedCampaign, type CreateOptions } from './create-campaign.ts'
import { lookUntil, type Wait } from './wait.ts'

export interface CampaignServiceParts {
  readonly store: CampaignStore
  readonly leases: LeaseKeeper
  readonly changes: ChangeWaiter
  readonly limits: CampaignSize
  /** The present: RFC 3339, UTC. */
  readonly now: () => string
}

/** What a change may only be made on: null, any version. */
interface Conditional {
  readonly precondition: Precondition
}

/** Where naive times of a body are read. */
interface Timed {
  /** IANA name of the zone. */
  readonly timezone: string
}

/** An experiment after a report, and the version that it has then. */
export interface ReportedExperiment {
  /** As JSON, encoded once for the caller and the store. */
  readonly json: string
  readonly version: Version
}

/**
 * What can be done with campaigns, a method each. Rules are the domain's, durability is the store's; what belongs together
 * across both is here. Every method may reject with a DomainError or RepositoryError; nothing is changed then, unless the
 * error is `durability-unknown`.
 */
export class CampaignService {
  constructor(private readonly parts: CampaignServiceParts) {}

  /** Creates a campaign, or finds the one that the same request created before. */
  create(draft: CampaignDraft, options: CreateOptions): Promise<CreatedCampaign> {
    const { store, limits, now } = this.parts
    return createCampaign(store, draft, { ...options, limits, now: now() })
  }

  list(query: CampaignQuery): Promise<CampaignPage> {
    return this.parts.store.list(query)
  }

  read(id: string): Promise<Committed> {
    return this.parts.store.read(id)
  }

  /** The campaign once it is worth telling, or as it is when the wait ends. */
  readWhen(id: string, wait: Wait | null, isWorthTelling: (campaign: Campaign) => boolean): Promise<Campaign> {
    const { store, changes } = this.parts
    const look = async () => (await store.read(id)).campaign
    return lookUntil({ changes, campaignId: id, wait }, look, isWorthTelling)
  }

  patch(id: string, patch: CampaignPatch, { precondition }: Conditional): Promise<Campaign> {
    const { limits } = this.parts
    return this.update(id, precondition, (campaign, at) => patchCampaign(campaign, patch, at, limits))
  }

  /** @param force also while something runs, and when it is corrupt */
  delete(id: string, { force, precondition }: Conditional & { readonly force: boolean }): Promise<void> {
    return this.parts.store.delete(id, {
      force,
      permit: (campaign) => {
        requireVersion(precondition, campaign.header)
        if (!force) refuseIfRunning(campaign)
      },
    })
  }

  append(
    id: string,
    drafts: readonly ExperimentDraft[],
    { timezone, precondition }: Conditional & Timed,
  ): Promise<Appended & { readonly created: boolean }> {
    const { limits } = this.parts
    return this.update(id, precondition, (campaign, now) => {
      const { changes, result } = appendExperiments(campaign, drafts, { now, timezone }, limits)
      return { changes, result: { ...result, created: changes !== null } }
    })
  }

  /** What a worker says of an experiment. It is a sign of the worker, too. */
  async report(
    id: string,
    expId: string,
    report: ExperimentReport,
    { timezone, precondition }: Conditional & Timed,
  ): Promise<ReportedExperiment> {
    const { store, leases } = this.parts
    const { experiment, ...reported } = await store.update(id, (campaign, now) => {
      requireExperimentVersion(campaign, expId, precondition)
      const { changes, result } = updateExperiment(campaign, expId, report, { now, timezone })
      const json = JSON.stringify(result)
      const version = { uid: campaign.header.uid, revision: result.revision }
      return { changes, result: { experiment: result, json, version }, encoded: [json] }
    })
    const renewed = leases.renew(id, [experiment])
    if (renewed instanceof Promise) await renewed
    return reported
  }

  /** Many reports in one commit, each judged alone; with `atomic` all or none. */
  async reportBatch(
    id: string,
    items: readonly BatchItem[],
    { timezone, atomic, precondition }: Conditional & Timed & { readonly atomic: boolean },
  ): Promise<readonly BatchResult[]> {
    const results = await this.update(id, precondition, (campaign, now) =>
      updateBatch(campaign, items, { now, timezone, atomic }),
    )
    const reported = results.flatMap((result) => ('experiment' in result ? [result.experiment] : []))
    await this.parts.leases.renew(id, reported)
    return results
  }

  /** Hands out the next experiments to run. */
  claim(id: string, request: ClaimRequest, wait: Wait | null): Promise<ClaimResult> {
    return claimExperiments(this.parts, id, request, wait)
  }

  /** Keeps the lease of a running experiment alive. */
  heartbeat(id: string, expId: string, beat: Heartbeat): MaybePromise<RenewedLease> {
    return this.parts.leases.heartbeat(id, expId, beat)
  }

  /** How long the leases of experiments still live, by `exp_id`. */
  leaseTimes(id: string, experiments: readonly Experiment[]): Promise<ReadonlyMap<string, LeaseTime>> {
    return this.parts.leases.times(id, experiments)
  }

  retry(id: string, request: RetryRequest, { precondition }: Conditional): Promise<Retried> {
    return this.update(id, precondition, (campaign, at) => retry(campaign, request, at))
  }

  async resume(id: string, request: ResumeRequest, { precondition }: Conditional): Promise<Resumed> {
    // A lease that ran out and was not swept yet is no live one.
    await this.parts.leases.sweep()
    return this.update(id, precondition, (campaign, at) => resume(campaign, request, at))
  }

  /** Decides only if the campaign has a version that the caller requires: judged on the very state that is decided on. */
  private update<T>(id: string, precondition: Precondition, decide: Decide<T>): Promise<T> {
    if (precondition === null) return this.parts.store.update(id, decide)
    return this.parts.store.update(id, (campaign, at) => {
      requireVersion(precondition, campaign.header)
      return decide(campaign, at)
    })
  }
}

/** An experiment that is not there is for the operation to miss, with a better answer. */
function requireExperimentVersion(campaign: Campaign, expId: string, precondition: Precondition): void {
  const revision = precondition === null ? undefined : campaign.get(expId)?.revision
  if (revision !== undefined) requireVersion(precondition, { uid: campaign.header.uid, revision })
}

function refuseIfRunning({ header, counts }: Campaign): void {
  const { running } = counts.by_status
  if (running === 0) return
  const detail = `${running} experiments of campaign ${header.campaign_id} are running.`
  throw new DomainError('campaign-running', detail)
}
