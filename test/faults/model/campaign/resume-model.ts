import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ResumeRequest } from '#campaignd/domain/operations/resume.js'
import { type Decided, type PlainCampaign, revised } from './campaign-model.js'
import { requeued } from './experiment-model.js'
import { countsOf } from './progress-model.js'
import { Refused } from './refused.js'

/** Section 5 of the design. @throws Refused when a config changed and the caller did not choose */
export function resumed(campaign: PlainCampaign, request: ResumeRequest, now: string): Decided {
  const { on_config_change: choice = 'refuse', dry_run = false } = request
  const diff = differenceOf(campaign, request)
  if (diff.config_changed && choice === 'refuse' && !dry_run) throw new Refused(409, 'config-changed', diff)

  const hashes = new Map(choice === 'refuse' ? [] : diff.changed.map(({ exp_id, to }) => [exp_id, to]))
  const hash = choice === 'refuse' ? campaign.config_hash : (request.config_hash ?? campaign.config_hash)
  const plan = campaign.experiments.map((one) => {
    const reruns = choice === 'rerun_changed' && hashes.has(one.exp_id)
    return { exp_id: one.exp_id, action: actionOf(one, request, reruns), reason: '' }
  })
  const experiments = campaign.experiments.map((one, index): Experiment => {
    const runs = plan[index]?.action === 'run' && one.status !== 'pending'
    const to = hashes.get(one.exp_id)
    if (!runs && to === undefined) return one
    const reruns = choice === 'rerun_changed' && to !== undefined
    const queued = runs ? requeued(one, now, reruns ? 'config' : 'resume') : one
    const attempts = reruns ? requeued(one, now, 'config').attempts : queued.attempts
    const changed = { attempts, config_hash: to ?? one.config_hash, actor: null, revision: campaign.revision + 1 }
    return { ...queued, ...changed }
  })
  const isSame = hash === campaign.config_hash && experiments.every((one, index) => one === campaign.experiments[index])
  const changes = !isSame && !dry_run
  const body = {
    ...diff,
    plan,
    remaining: plan.filter(({ action }) => action === 'run').map(({ exp_id }) => exp_id),
    counts: countsOf(experiments),
    revision: campaign.revision + Number(changes),
  }
  const after = changes ? revised(campaign, now, { config_hash: hash, experiments }) : campaign
  return { campaign: after, status: 200, body }
}

function actionOf({ status, lease }: Experiment, request: ResumeRequest, reruns: boolean): 'skip' | 'keep' | 'run' {
  switch (status) {
    case 'skipped':
      return 'skip'
    case 'pending':
      return 'run'
    case 'completed':
      return reruns ? 'run' : 'skip'
    case 'failed':
      return reruns || request.retry_failed !== false ? 'run' : 'skip'
    case 'running':
      return !reruns && (lease !== null || request.unleased === 'keep') ? 'keep' : 'run'
  }
}

function differenceOf(campaign: PlainCampaign, { config_hash, experiments }: ResumeRequest) {
  const changed: { exp_id: string; from: string; to: string }[] = []
  if (config_hash === undefined) return { config_changed: false, changed, added: [], removed: [] }
  const ours = new Map(campaign.experiments.map((one) => [one.exp_id, one.config_hash]))
  const given = new Map((experiments ?? []).map((one) => [one.exp_id, one.config_hash]))
  for (const [exp_id, from] of ours) {
    const to = given.get(exp_id)
    if (to !== undefined && to !== from) changed.push({ exp_id, from, to })
  }
  return {
    config_changed: config_hash !== campaign.config_hash || changed.length > 0,
    changed,
    added: [...given.keys()].filter((id) => !ours.has(id)),
    removed: experiments === undefined ? [] : [...ours.keys()].filter((id) => !given.has(id)),
  }
}
