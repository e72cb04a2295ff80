import fc from 'fast-check'
import type { ClaimRequest } from '#campaignd/domain/operations/claim/claim-request.js'
import { anyChoice, flaw, given, leaseSeconds, sometimes, worker } from '../arguments/arguments.js'
import { noCondition } from '../arguments/condition.js'
import type { PlainCampaign } from '../campaign/campaign-model.js'
import { claimed, isDone, type Remembered } from '../campaign/claim-model.js'
import { stateOf } from '../campaign/progress-model.js'
import type { Scene } from '../scene.js'
import { command } from './command.js'

/** Whose claim is repeated, where something is held by a claim that can be repeated. */
type Repeats = 'its own' | 'that of another worker' | undefined

/** POST of a claim that does not wait. */
export const claim = command({
  name: 'claim',
  weight: 100,
  arguments: fc.record({
    campaign: anyChoice,
    request: fc
      .record({
        worker,
        backend: sometimes(3, fc.constantFrom('vllm', 'pytorch', 'none')),
        container: sometimes(4, fc.constantFrom('big', 'small')),
        limit: sometimes(2, fc.integer({ min: 1, max: 4 })),
        lease_seconds: sometimes(3, leaseSeconds),
        claim_id: sometimes(2, fc.constantFrom('one', 'two')),
      })
      .map((request): ClaimRequest => ({ ...given(request), worker: request.worker })),
    repeats: sometimes(3, fc.constantFrom<Repeats[]>('its own', 'its own', 'that of another worker')),
    flaw: flaw(25, { worker: '' }, { limit: 0 }, { lease_seconds: 0 }, { cycle_index: 1 }),
  }),
  run: (scene, { campaign, request, repeats, flaw: wrong }) => {
    const id = scene.world.choose(campaign)
    return postClaim(scene, id, { ...request, ...repeated(scene.world.campaigns.get(id), repeats) }, wrong)
  },
})

function repeated(campaign: PlainCampaign | undefined, repeats: Repeats): Partial<ClaimRequest> {
  const held = campaign?.experiments.find(({ lease }) => (lease?.claim_id ?? null) !== null)
  const claim_id = held?.lease?.claim_id ?? null
  if (repeats === undefined || held === undefined || claim_id === null) return {}
  const own = held.worker ?? 'gpu-1'
  return { claim_id, worker: repeats === 'its own' ? own : own === 'gpu-1' ? 'gpu-2' : 'gpu-1' }
}

export function postClaim(scene: Scene, id: string, request: ClaimRequest, wrong?: object): Promise<void> {
  const call = { campaign: id, method: 'POST', path: '/claims', body: request } as const
  return scene.write({ ...call, ifMatch: noCondition, flaw: wrong }, (before) => {
    const { world } = scene
    const { campaign, experiments, kind } = claimed(before, request, world.at(before), rememberedOf(scene, id, request))
    const { claim_id } = request
    scene.count(kind)
    if (kind === 'handed out' && experiments.some(({ losses }) => losses > 0)) scene.count('a loss again')
    const claims = experiments.map((experiment) => {
      const seconds = experiment.lease?.seconds ?? 0
      return {
        experiment,
        attempt: experiment.attempt,
        lease_seconds: seconds,
        lease_expires_at: world.leaseEndOf(id, experiment),
        // Two of three heartbeats may be lost.
        heartbeat_seconds: Math.round((seconds / 3) * 1000) / 1000,
      }
    })
    if (claim_id !== undefined && claims.length > 0) {
      world.claims.use(world.lifeOf(id), claim_id, callOf(request), claims.length)
    }
    if (claims.some(({ attempt }) => attempt > 1)) scene.count('a later attempt')
    const done = isDone(campaign, request)
    return { campaign, status: 200, body: { claims, state: stateOf(campaign), done } }
  })
}

function rememberedOf({ world }: Scene, id: string, request: ClaimRequest): Remembered {
  return {
    earlier: world.claims.find(world.lifeOf(id), request.claim_id ?? ''),
    call: callOf(request),
    isHeard: (experiment) => world.isHeard(id, experiment),
  }
}

function callOf(request: ClaimRequest): string {
  return JSON.stringify(Object.entries(request).sort())
}
