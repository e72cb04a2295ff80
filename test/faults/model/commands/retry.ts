import fc from 'fast-check'
import type { RetryRequest } from '#campaignd/domain/operations/retry.js'
import {
  anyCampaign,
  anyExperiment,
  chosen,
  flaw,
  given,
  sometimes,
  type ExperimentChoice,
} from '../arguments/arguments.js'
import { retried } from '../campaign/campaign-model.js'
import type { CommandKind } from './command.js'
import { ifMatch, type Condition } from '../arguments/condition.js'
import type { CampaignChoice } from '../world.js'

interface Retry {
  readonly campaign: CampaignChoice
  readonly experiments: readonly ExperimentChoice[] | undefined
  readonly request: Omit<RetryRequest, 'exp_ids'>
  readonly hasBody: boolean
  readonly flaw: object | undefined
  readonly ifMatch: Condition
}

export const retry: CommandKind<Retry> = {
  name: 'retry',
  weight: 30,
  arguments: fc.record({
    campaign: anyCampaign,
    experiments: sometimes(2, fc.array(anyExperiment, { maxLength: 4 })),
    request: fc
      .record({
        status: sometimes(3, fc.constantFrom<NonNullable<RetryRequest['status']>[]>('failed', 'skipped', 'completed')),
        failure_kind: sometimes(
          4,
          fc.constantFrom<NonNullable<RetryRequest['failure_kind']>[]>('oom', 'lost', 'error'),
        ),
        include_completed: sometimes(3, fc.boolean()),
        dry_run: sometimes(5, fc.boolean()),
      })
      .map(given),
    hasBody: fc.constantFrom(true, true, true, false),
    flaw: flaw(25, { status: 'running' }, { exp_ids: '0001' }, { force: true }),
    ifMatch,
  }),
  run: (scene, { campaign, experiments, request, hasBody, flaw: wrong, ifMatch: match }) => {
    const id = scene.world.choose(campaign)
    const there = scene.world.campaigns.get(id)?.experiments ?? []
    const exp_ids = experiments?.map((one) => chosen(there, one))
    const meant: RetryRequest = hasBody ? { ...request, ...(exp_ids === undefined ? {} : { exp_ids }) } : {}
    const body = hasBody ? { body: { ...meant, ...wrong } } : {}
    const isFlawed = hasBody && wrong !== undefined
    const write = { campaign: id, method: 'POST', path: '/retry', ...body, ifMatch: match, isFlawed } as const
    return scene.write(write, (before) => retried(before, meant, scene.world.at(before)))
  },
}
