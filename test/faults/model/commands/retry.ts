import fc from 'fast-check'
import type { RetryRequest } from '#campaignd/domain/operations/retry.js'
import { anyChoice, chosen, flaw, given, idOf, sometimes } from '../arguments/arguments.js'
import { ifMatch } from '../arguments/condition.js'
import { retried } from '../campaign/campaign-model.js'
import { command } from './command.js'

type Status = NonNullable<RetryRequest['status']>
type Kind = NonNullable<RetryRequest['failure_kind']>

export const retry = command({
  name: 'retry',
  weight: 30,
  arguments: fc.record({
    campaign: anyChoice,
    experiments: sometimes(2, fc.array(anyChoice, { maxLength: 4 })),
    request: fc
      .record({
        status: sometimes(3, fc.constantFrom<Status[]>('failed', 'skipped', 'completed')),
        failure_kind: sometimes(4, fc.constantFrom<Kind[]>('oom', 'lost', 'error')),
        include_completed: sometimes(3, fc.boolean()),
        dry_run: sometimes(5, fc.boolean()),
      })
      .map(given),
    hasBody: fc.constantFrom(true, true, true, false),
    flaw: flaw(25, { status: 'running' }, { exp_ids: '0001' }, { force: true }),
    ifMatch,
  }),
  run: (scene, { campaign, experiments, request, hasBody, ...rest }) => {
    const id = scene.world.choose(campaign)
    const exp_ids = experiments?.map((one) => idOf(chosen(scene.world.experimentsOf(id), one)))
    const meant: RetryRequest = hasBody ? { ...request, ...given({ exp_ids }) } : {}
    const sent = hasBody ? { body: meant } : { flaw: undefined }
    return scene.write({ ...rest, ...sent, campaign: id, method: 'POST', path: '/retry' }, (before) =>
      retried(before, meant, scene.world.at(before)),
    )
  },
})
