import type { Campaign, Changes, Decision, Revision } from '../../campaign/campaign.ts'
import { campaignFull, type CampaignSize, hasRoomToGrow } from '../../campaign/campaign-size.ts'
import type { CampaignHeader, CampaignManifest } from '../../campaign/manifest.ts'
import { type Experiment, sameDefinition } from '../../experiment/experiment.ts'
import { isBreak, type LongWork } from '../../long-work.ts'
import { grown } from '../append.ts'
import type { Origin } from '../origin.ts'
import { isAsSaved, isSameTime, savedExperiment } from './saved-experiment.ts'
import { Losses } from './would-lose.ts'

export interface SaveOptions extends Origin {
  /** IANA name of the zone in which the manifest has its times. */
  readonly timezone: string
  /** Whether what is completed or leased may be overwritten. */
  readonly force: boolean
  /** Whether the manifest says when it was created. */
  readonly hasCreatedAt: boolean
}

/**
 * Saves a whole manifest of the Python tool over the campaign that has its id: the keys that the tool has become those of the manifest,
 * what it lacks is appended, and all that only we have stays. A repeated call changes nothing.
 *
 * Nothing is ever removed. An experiment has its place in the file and in every index for good, and readers of events are told what an
 * experiment became, not that it went.
 *
 * @returns the campaign as it is then
 * @throws DomainError `would-lose`; `campaign-full`; `invalid` for too many experiments
 */
export function* save(
  campaign: Campaign,
  wanted: CampaignManifest,
  options: SaveOptions,
  size: CampaignSize,
): LongWork<Decision<Campaign>> {
  const header = changedHeader(campaign.header, wanted, options)
  const { changed, appended, redefines } = yield* changedExperiments(campaign, wanted.experiments, options)
  if (changed.length + appended.length + Object.keys(header).length === 0) return { changes: null, result: campaign }
  const changes = { at: options.now, header, changed, appended }
  const next = yield* revisedWithin(campaign, changes, redefines, size)
  return { changes, next, result: next.campaign }
}

type HeaderKeys = Pick<CampaignHeader, 'campaign_name' | 'config_hash' | 'created_at'>

function changedHeader(
  ours: CampaignHeader,
  { campaign_name, config_hash, created_at }: CampaignManifest,
  { timezone, hasCreatedAt }: SaveOptions,
): Partial<HeaderKeys> {
  return {
    ...(campaign_name === ours.campaign_name ? {} : { campaign_name }),
    ...(config_hash === ours.config_hash ? {} : { config_hash }),
    ...(!hasCreatedAt || isSameTime(ours.created_at, created_at, timezone) ? {} : { created_at }),
  }
}

interface ChangedExperiments {
  readonly changed: readonly Experiment[]
  readonly appended: readonly Experiment[]
  /** Whether one of them has another definition than before. */
  readonly redefines: boolean
}

/** @throws DomainError `would-lose` */
function* changedExperiments(
  campaign: Campaign,
  wanted: readonly Experiment[],
  options: SaveOptions,
): LongWork<ChangedExperiments> {
  const revision = campaign.nextRevision
  const changed: Experiment[] = []
  const appended: Experiment[] = []
  const losses = new Losses()
  let redefines = false
  for (const [index, theirs] of wanted.entries()) {
    if (isBreak(index)) yield
    const ours = campaign.get(theirs.exp_id)
    if (ours === undefined) appended.push({ ...theirs, revision })
    else if (!isAsSaved(ours, theirs, options.timezone)) {
      if (!options.force) addLoss(losses, ours)
      redefines ||= !sameDefinition(ours, theirs)
      changed.push(savedExperiment(ours, theirs, { ...options, revision }))
    }
  }
  if (campaign.experiments.length + appended.length > wanted.length) yield* addMissing(losses, campaign, wanted)
  losses.refuseAny(campaign.header.campaign_id)
  return { changed, appended, redefines }
}

/** A lease in the manifest is live: when one expires, its experiment becomes failed. */
function addLoss(losses: Losses, { exp_id, status, lease }: Experiment): void {
  if (status === 'completed') losses.add(exp_id, 'completed')
  else if (lease !== null) losses.add(exp_id, 'leased')
}

function* addMissing(losses: Losses, campaign: Campaign, wanted: readonly Experiment[]): LongWork<void> {
  const given = new Set<string>()
  for (const [index, { exp_id }] of wanted.entries()) {
    given.add(exp_id)
    if (isBreak(index)) yield
  }
  let count = 0
  for (const { exp_id } of campaign.experiments) {
    if (!given.has(exp_id)) losses.add(exp_id, 'missing')
    count += 1
    if (isBreak(count)) yield
  }
}

/** Longer definitions count against the limit as more experiments do: they can not be cut to make room for reports. */
function* revisedWithin(
  campaign: Campaign,
  changes: Changes & Required<Pick<Changes, 'appended'>>,
  redefines: boolean,
  size: CampaignSize,
): LongWork<Revision> {
  if (changes.appended.length > 0) return yield* grown(campaign, changes, size)
  const next = yield* campaign.revised(changes)
  const { header, bytes, limit } = next.campaign
  if (!redefines || bytes <= campaign.bytes || hasRoomToGrow(bytes, limit)) return next
  throw campaignFull(`Campaign ${header.campaign_id} with these definitions`, bytes, limit)
}
