import { type Static, Type } from '@sinclair/typebox'
import type { Campaign, Decision } from '../../campaign/campaign.ts'
import type { CampaignSize } from '../../campaign/campaign-size.ts'
import { type CampaignManifest, headerProperties } from '../../campaign/manifest.ts'
import { requeue } from '../../experiment/attempt.ts'
import { usedBy } from '../../experiment/budgets.ts'
import { type Experiment, retryCount } from '../../experiment/experiment.ts'
import { isBreak, type LongWork } from '../../long-work.ts'
import { StrictObject } from '../../schema.ts'
import { grown, sameIn } from '../append.ts'
import type { Origin } from '../origin.ts'
import { isFurther } from './rank.ts'

function Count(description: string) {
  return Type.Integer({ minimum: 0, description })
}

export const MergeResult = StrictObject(
  {
    merged: Count('Experiments that were further ahead in the body: taken over'),
    appended: Count('Experiments that the campaign did not have'),
    kept: Count('Experiments that stay as they are'),
    held: Count('Of these, those that are further ahead in the body, but run under a live lease'),
    revision: headerProperties.revision,
  },
  {
    $id: 'MergeResult',
    description: 'What a merge did',
    examples: [{ merged: 4, appended: 0, kept: 14, held: 0, revision: 28 }],
  },
)

export type MergeResult = Static<typeof MergeResult>

/**
 * Merges a manifest into the campaign that has its id: of each experiment the history that is further ahead stays. Name, settings and
 * labels of the campaign stay too. A repeated call changes nothing.
 *
 * @throws DomainError `experiment-exists` when one has another definition; `campaign-full`; `invalid`
 */
export function* merge(
  campaign: Campaign,
  wanted: CampaignManifest,
  { now, actor }: Origin,
  size: CampaignSize,
): LongWork<Decision<MergeResult>> {
  const revision = campaign.nextRevision
  const changed: Experiment[] = []
  const appended: Experiment[] = []
  let held = 0
  for (const [index, theirs] of wanted.experiments.entries()) {
    if (isBreak(index)) yield
    const ours = sameIn(campaign, theirs)
    if (ours === undefined) appended.push({ ...theirs, revision })
    else if (!isFurther(theirs, ours)) continue
    // A lease in the manifest is live: when one expires, its experiment becomes failed.
    else if (ours.lease !== null) held += 1
    else changed.push({ ...takenOver(ours, theirs, now), actor, revision })
  }
  const kept = campaign.experiments.length - changed.length
  const result = { merged: changed.length, appended: appended.length, kept, held, revision: campaign.header.revision }
  if (changed.length + appended.length === 0) return { changes: null, result }
  const changes = { at: now, changed, appended }
  const next = appended.length > 0 ? yield* grown(campaign, changes, size) : yield* campaign.revised(changes)
  return { changes, next, result: { ...result, revision } }
}

/**
 * Theirs: a failure counts as one of ours, and no other of theirs does. An attempt of ours is closed, and theirs gets a number of its
 * own: a worker that still has the name of our run must not be able to change their result.
 */
function takenOver(ours: Experiment, theirs: Experiment, now: string): Experiment {
  const { attempts } = requeue(ours, now, 'start')
  const isNew = ours.attempt > 0 && theirs.attempt > 0
  const attempt = isNew ? Math.max(theirs.attempt, ours.attempt + 1) : Math.max(theirs.attempt, ours.attempt)
  const { status, started_at, completed_at, error, failure_kind, result_path, metrics, worker } = theirs
  return {
    ...ours,
    ...{ status, started_at, completed_at, error, failure_kind, result_path, metrics, worker },
    ...{ attempt, retry_count: retryCount(attempt), lease: null, attempts },
    ...(status === 'failed' ? usedBy(ours, failure_kind) : {}),
  }
}
