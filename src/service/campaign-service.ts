import { type BenchedWorker, benchedWorkers } from '../domain/campaign/benching.ts'
import type { Campaign, Decide } from '../domain/campaign/campaign.ts'
import { type Precondition, requireVersion, type Version } from '../domain/campaign/version.ts'
import { DomainError } from '../domain/errors.ts'
import type { Experiment } from '../domain/experiment/experiment.ts'
import { type Appended, appendExperiments } from '../domain/operations/append.ts'
import type { ClaimRequest } from '../domain/operations/claim/claim-request.ts'
import type { CampaignDraft, ExperimentDraft } from '../domain/operations/draft.ts'
import type { Heartbeat } from '../domain/operations/heartbeat.ts'
import { liftBench } from '../domain/operations/lift-bench.ts'
import type { MergeResult } from '../domain/operations/merge/merge.ts'
import { type CampaignPatch, patchCampaign } from '../domain/operations/patch-campaign.ts'
import { updateExperiment } from '../domain/operations/report.ts'
import { type BatchItem, type BatchResult, updateBatch } from '../domain/operations/report-batch.ts'
import type { ExperimentReport } from '../domain/operations/report-request.ts'
import { resume, type Resumed, type ResumeRequest } from '../domain/operations/resume.ts'
import { type Retried, retry, type RetryRequest } from '../domain/operations/retry.ts'
import type { CampaignPage, CampaignQuery } from '../domain/views/campaign-list.ts'
import { withRunJson } from '../domain/views/experiment-with-run.ts'
import type { LeaseState, RenewedLease } from '../leases/lease-keeper.ts'
import type { Wait } from '../live/change-waiter.ts'
import type { Committed } from '../repository/campaign-store.ts'
import type { MaybePromise } from '../repository/maybe-promise.ts'
import { changedCampaign } from './changed-campaign.ts'
import {
  claimExperiments,
  type ClaimOptions,
  type ClaimParts,
  type ClaimResult,
  reportAndClaimExperiments,
  type ReportingClaimOptions,
  type ReportingClaimResult,
} from './claim-experiments.ts'
import {
  createCampaign,
  type CreatedCampaign,
  type CreateOptions,
  createOrMerge,
  type CreateParts,
  type MergeOptions,
} from './create-campaign.ts'
import { saveCampaign, type SaveOptions } from './save-campaign.ts'

export type CampaignServiceParts = ClaimParts & CreateParts

interface Conditional {
  /** The version that the change requires; null: any. */
  readonly precondition: Precondition
}

/** A change of experiments. */
interface Attributed extends Conditional {
  /** The name of the token of the caller; null: none. */
  readonly actor: string | null
}

interface Timed extends Attributed {
  /** IANA name of the zone of times without one. */
  readonly timezone: string
}

/** An experiment after a report, and its version then. */
export interface ReportedExperiment {
  /** With its run_id, as JSON: the experiment is encoded once for the caller and the store. */
  readonly json: string
  readonly version: Version
}

/**
 * The use cases, a method each: here is what joins the rules of the domain and the durability of the store. Every method may reject
 * with a DomainError or RepositoryError; nothing is changed then, unless the error is `durability-unknown`.
 */
export class CampaignService {
  constructor(private readonly parts: CampaignServiceParts) {}

  /** Creates a campaign, or finds the one that an equal request created before. */
  create(draft: CampaignDraft, options: CreateOptions): Promise<CreatedCampaign> {
    return createCampaign(this.parts, draft, options)
  }

  /** Creates a campaign, or merges it into the one that has its id. */
  createOrMerge(draft: CampaignDraft, options: MergeOptions): Promise<CreatedCampaign | MergeResult> {
    return createOrMerge(this.parts, draft, options)
  }

  /** Saves a whole manifest of the Python tool under its id, new or over the campaign that is there. */
  save(id: string, draft: CampaignDraft, options: SaveOptions): Promise<CreatedCampaign> {
    return saveCampaign(this.parts, id, draft, options)
  }

  list(query: CampaignQuery): Promise<CampaignPage> {
    return this.parts.store.list(query)
  }

  read(id: string): Promise<Committed> {
    return this.parts.store.read(id)
  }

  /** Waits until the campaign is as asked for; when the wait ends before, it is as it is then. */
  readWhen(id: string, wait: Wait | null, isAsAsked: (campaign: Campaign) => boolean): Promise<Campaign> {
    const { store, changes } = this.parts
    return changes.readUntil(id, wait, async () => (await store.read(id)).campaign, isAsAsked)
  }

  /** @returns the campaign with the change; its bytes too, unless something else has changed it since */
  async patch(
    id: string,
    patch: CampaignPatch,
    { precondition, cancelRunning }: Conditional & { readonly cancelRunning?: boolean | undefined },
  ): Promise<Committed> {
    const { store, limits } = this.parts
    const campaign = await this.update(id, precondition, (before, now) =>
      patchCampaign(before, patch, { now, cancelRunning }, limits),
    )
    return changedCampaign(store, campaign)
  }

  /** @param force also while experiments run, or when the campaign is corrupt */
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
    { timezone, precondition }: Omit<Timed, 'actor'>,
  ): Promise<Appended & { readonly created: boolean }> {
    const { limits } = this.parts
    return this.update(id, precondition, function* (campaign, now) {
      const { changes, next, result } = yield* appendExperiments(campaign, drafts, { now, timezone }, limits)
      return { changes, next, result: { ...result, created: changes !== null } }
    })
  }

  /** Changes an experiment as its worker reports, and renews the lease. */
  async report(id: string, expId: string, report: ExperimentReport, options: Timed): Promise<ReportedExperiment> {
    const { timezone, actor, precondition } = options
    const { store, leases } = this.parts
    const reported = await store.update(id, (campaign, now) => {
      requireExperimentVersion(campaign, expId, precondition)
      const { changes, next, result } = updateExperiment(campaign, expId, report, { now, timezone, actor })
      const { uid } = campaign.header
      const line = next?.lines.get(campaign.positionOf(expId) ?? -1) ?? JSON.stringify(result)
      const version = { uid, revision: result.revision }
      return { changes, next, result: { experiment: result, json: withRunJson(line, result, uid), version } }
    })
    const renewed = leases.renew(id, [reported.experiment])
    if (renewed instanceof Promise) await renewed
    return reported
  }

  /** Many reports in one commit, each decided alone; with `atomic` all or none. */
  async reportBatch(
    id: string,
    items: readonly BatchItem[],
    { timezone, atomic, actor, precondition }: Timed & { readonly atomic: boolean },
  ): Promise<readonly BatchResult[]> {
    const results = await this.update(id, precondition, (campaign, now) =>
      updateBatch(campaign, items, { now, timezone, actor, atomic }),
    )
    const reported = results.flatMap((result) => ('experiment' in result ? [result.experiment] : []))
    await this.parts.leases.renew(id, reported)
    return results
  }

  /** Claims the next experiments to run. */
  claim(id: string, request: ClaimRequest, options: ClaimOptions): Promise<ClaimResult> {
    return claimExperiments(this.parts, id, request, options)
  }

  /** Counts reports, and claims the next experiments to run, in one commit. */
  reportAndClaim(id: string, request: ClaimRequest, options: ReportingClaimOptions): Promise<ReportingClaimResult> {
    return reportAndClaimExperiments(this.parts, id, request, options)
  }

  /** Renews the lease of a running experiment. */
  heartbeat(id: string, expId: string, beat: Heartbeat): MaybePromise<RenewedLease> {
    return this.parts.leases.heartbeat(id, expId, beat)
  }

  /** Has a worker that is benched for its failures get experiments again. */
  async liftBench(id: string, worker: string, { precondition }: Conditional): Promise<void> {
    await this.update(id, precondition, (campaign, at) => liftBench(campaign, worker, at))
  }

  /** The workers that are benched now. */
  benchedWorkers(campaign: Campaign): BenchedWorker[] {
    return benchedWorkers(campaign, this.parts.now())
  }

  /** The live leases of experiments, by `exp_id`. */
  leaseStates(id: string, experiments: readonly Experiment[]): Promise<ReadonlyMap<string, LeaseState>> {
    return this.parts.leases.states(id, experiments)
  }

  retry(id: string, request: RetryRequest, { precondition, actor }: Attributed): Promise<Retried> {
    return this.update(id, precondition, (campaign, now) => retry(campaign, request, { now, actor }))
  }

  async resume(id: string, request: ResumeRequest, { precondition, actor }: Attributed): Promise<Resumed> {
    // A lease that expired since the last sweep would still count as live.
    await this.parts.leases.sweep()
    return this.update(id, precondition, (campaign, now) => resume(campaign, request, { now, actor }))
  }

  /** Checks the version that the caller requires on the very state that is decided on. */
  private update<T>(id: string, precondition: Precondition, decide: Decide<T>): Promise<T> {
    return this.parts.store.update(id, (campaign, at) => {
      requireVersion(precondition, campaign.header)
      return decide(campaign, at)
    })
  }
}

/** Leaves an unknown experiment to the operation, whose error says more. */
function requireExperimentVersion(campaign: Campaign, expId: string, precondition: Precondition): void {
  const revision = precondition === null ? undefined : campaign.get(expId)?.revision
  if (revision !== undefined) requireVersion(precondition, { uid: campaign.header.uid, revision })
}

function refuseIfRunning({ header, counts: { by_status } }: Campaign): void {
  if (by_status.running === 0) return
  const detail = `${by_status.running} experiments of campaign ${header.campaign_id} are running.`
  throw new DomainError('campaign-running', detail)
}
