import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ClaimRequest } from '#campaignd/domain/operations/claim/claim-request.js'
import { anyChoice, chosen, flaw, given, idOf, leaseSeconds, sometimes, worker } from '../arguments/arguments.js'
import { noCondition } from '../arguments/condition.js'
import { anyReport, reportOn } from '../arguments/report-arguments.js'
import type { PlainCampaign } from '../campaign/campaign-model.js'
import { claimed, isDone, type Remembered } from '../campaign/claim-model.js'
import { stateOf } from '../campaign/progress-model.js'
import type { Scene } from '../scene.js'
import type { World } from '../world.js'
import { asAttempt, batched, type Update } from './batch.js'
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
    repeats: fc.constantFrom<Repeats[]>(undefined, 'its own', 'its own', 'its own', 'that of another worker'),
    reports: sometimes(3, fc.array(fc.record({ experiment: anyChoice, report: anyReport }), { maxLength: 3 })),
    flaw: flaw(25, { worker: '' }, { limit: 0 }, { lease_seconds: 0 }, { cycle_index: 1 }),
  }),
  run: (scene, { campaign, request, repeats, reports = [], flaw: wrong }) => {
    const id = scene.world.choose(campaign)
    const updates = reports.map(({ experiment, report }): Update => {
      const one = chosen(scene.world.experimentsOf(id), experiment)
      return { exp_id: idOf(one), meant: reportOn(scene.world, id, one, report), flaw: report.flaw }
    })
    const held = heldBy(scene.world.campaigns.get(id), repeats)
    const earlier = held === null ? null : repeatOf(scene.world, id, held, repeats)
    if (earlier !== null) return postClaim(scene, id, earlier)
    return postClaim(scene, id, { ...request, ...held }, { updates, wrong })
  },
})

/** Who is to claim as which claim that holds something; null: nobody. */
function heldBy(
  campaign: PlainCampaign | undefined,
  repeats: Repeats,
): Pick<ClaimRequest, 'worker' | 'claim_id'> | null {
  const held = campaign?.experiments.find(({ lease }) => (lease?.claim_id ?? null) !== null)
  const claim_id = held?.lease?.claim_id ?? null
  if (repeats === undefined || held === undefined || claim_id === null) return null
  const own = held.worker ?? 'gpu-1'
  return { claim_id, worker: repeats === 'its own' ? own : own === 'gpu-1' ? 'gpu-2' : 'gpu-1' }
}

/** The very claim; null where that is not meant, is not known, or had reports. */
function repeatOf(world: World, id: string, { claim_id = '' }: Partial<ClaimRequest>, repeats: Repeats) {
  const known = repeats === 'its own' ? world.claims.find(world.lifeOf(id), claim_id) : undefined
  if (known === undefined) return null
  const [fields, about] = JSON.parse(known.call) as [[string, unknown][], unknown[]]
  return about.length === 0 ? (Object.fromEntries(fields) as unknown as ClaimRequest) : null
}

interface Beside {
  /** What comes along with the claim. */
  readonly updates?: readonly Update[]
  readonly wrong?: object | undefined
}

export function postClaim(
  scene: Scene,
  id: string,
  request: ClaimRequest,
  { updates = [], wrong }: Beside = {},
): Promise<void> {
  const reports = updates.map(({ exp_id, meant, flaw: part }) => ({ exp_id, ...meant, ...part }))
  const body = reports.length === 0 ? request : { ...request, reports }
  const call = { campaign: id, method: 'POST', path: '/claims', body } as const
  return scene.write({ ...call, ifMatch: noCondition, flaw: wrong }, (before) => {
    const { world } = scene
    const { campaign, experiments, kind, results, benchedUntil, isTrial } = decided(scene, before, request, updates)
    const { claim_id } = request
    scene.count(kind)
    if (isTrial === true) scene.count('on trial')
    if (kind === 'handed out' && experiments.some(({ losses }) => losses > 0)) scene.count('a loss again')
    const claimedIds = new Set(experiments.map(({ exp_id }) => exp_id))
    for (const { exp_id, experiment } of results) {
      if (experiment !== undefined && !claimedIds.has(exp_id)) world.renew(id, experiment)
    }
    const isRepeat = kind === 'the same claims'
    const claims = experiments.map((experiment) => claimOf(world, id, experiment, isRepeat))
    if (claim_id !== undefined && claims.length > 0) {
      world.claims.use(world.lifeOf(id), claim_id, callOf(request, updates), claims.length)
    }
    if (claims.some(({ attempt }) => attempt > 1)) scene.count('a later attempt')
    if (results.length > 0 && claims.length > 0) scene.count('with reports')
    const told = reports.length === 0 ? {} : { results }
    const benched = benchedUntil === undefined ? {} : { benched_until: new Date(benchedUntil).toISOString() }
    return {
      campaign,
      status: 200,
      body: { claims, state: stateOf(campaign), done: isDone(campaign, request), ...benched, ...told },
    }
  })
}

/** The reports first, then the claim on what they leave, in one revision. */
function decided(scene: Scene, before: PlainCampaign, request: ClaimRequest, updates: readonly Update[]) {
  const { world } = scene
  const now = world.at(before)
  const alone = claimed(before, request, now, rememberedOf(scene, before.campaign_id, request, updates))
  if (updates.length === 0) return { ...alone, results: [] }
  const named = updates.map((update) => ({ ...update, meant: asAttempt(world, before, update) }))
  // What a repeat says of what it holds was about an attempt before.
  const held = alone.kind === 'the same claims' ? alone.experiments : []
  const { campaign: after, results } = batched(before, named, now, held)
  if (held.length > 0) return { campaign: after, experiments: held, kind: alone.kind, results }
  const { kind, ...rest } = claimed({ ...after, revision: before.revision }, request, now)
  return { ...rest, campaign: kind === 'handed out' ? rest.campaign : after, kind, results }
}

function claimOf(world: World, id: string, experiment: Experiment, isRepeat: boolean) {
  const seconds = experiment.lease?.seconds ?? 0
  // Of what is left, so that the first one is in time.
  const left = isRepeat ? seconds - world.idleFor(id, experiment) / 1000 : seconds
  return {
    experiment,
    attempt: experiment.attempt,
    lease_seconds: seconds,
    lease_expires_at: world.leaseEndOf(id, experiment),
    // Two of three heartbeats may be lost.
    heartbeat_seconds: Math.round((left / 3) * 1000) / 1000,
  }
}

function rememberedOf(scene: Scene, id: string, request: ClaimRequest, updates: readonly Update[]): Remembered {
  const { world } = scene
  return {
    earlier: world.claims.find(world.lifeOf(id), request.claim_id ?? ''),
    call: callOf(request, updates),
    isHeard: (experiment) => {
      const seconds = experiment.lease?.seconds ?? 0
      const isOver = world.idleFor(id, experiment) >= seconds * 1000
      return isOver || world.isHeard(id, experiment) || updates.some((update) => isAbout(scene, id, update, experiment))
    },
  }
}

/** Whether a report names the run that the claim got. */
function isAbout(
  { world }: Scene,
  id: string,
  { exp_id, meant, flaw: wrong }: Update,
  experiment: Experiment,
): boolean {
  if (wrong !== undefined || exp_id !== experiment.exp_id) return false
  if (meant.run_id === undefined) return meant.attempt === experiment.attempt
  return meant.run_id === world.runs.of(world.lifeOf(id), experiment)
}

function callOf(request: ClaimRequest, updates: readonly Update[]): string {
  const about = updates.map(({ exp_id, meant, flaw: wrong }) => [
    exp_id,
    wrong === undefined ? [meant.run_id, meant.attempt] : null,
  ])
  return JSON.stringify([Object.entries(request).sort(), about])
}
