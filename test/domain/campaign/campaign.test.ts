import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Campaign } from '#campaignd/domain/campaign/campaign.js'
import { hasEnded } from '#campaignd/domain/campaign/campaign-state.js'
import { DEFAULT_SETTINGS, headerProperties } from '#campaignd/domain/campaign/manifest.js'
import type { Experiment, FailureKind } from '#campaignd/domain/experiment/experiment.js'
import { EXPERIMENT_STATUSES } from '#campaignd/domain/experiment/status.js'
import { progressOf } from '#campaignd/domain/views/progress.js'
import { campaignOf, experiment } from '../../support/campaigns/drafts.js'

const AT = '2026-03-01T12:00:00Z'
const BUDGETS = { max_retries: 1, max_losses: 1 }

function isWithinBudget({ failure_kind, failures, losses }: Experiment): boolean {
  const isLoss = failure_kind === 'lost' || failure_kind === 'interrupted'
  return isLoss ? losses <= BUDGETS.max_losses : failures <= BUDGETS.max_retries
}
const KINDS: readonly FailureKind[] = ['error', 'interrupted', 'timeout', 'oom', 'lost']
const BACKENDS = ['pytorch', 'vllm', 'tensorrt']
const CONTAINERS = ['', 'vllm']
const WORKERS = ['w1', 'w12']
const CLAIMS = ['2c', 'c']
const STARTS = ['2026-02-01T08:00:00Z', '2026-02-01T08:00:00.5Z', '2026-02-01T09:00:00Z']

const state = fc
  .record({
    status: fc.constantFrom(...EXPERIMENT_STATUSES),
    failure_kind: fc.constantFrom(...KINDS),
    attempt: fc.nat(3),
    failures: fc.nat(3),
    losses: fc.nat(3),
    started_at: fc.option(fc.constantFrom(...STARTS)),
    worker: fc.option(fc.constantFrom(...WORKERS)),
    claim_id: fc.option(fc.constantFrom(...CLAIMS)),
  })
  .map(({ failure_kind, claim_id, ...rest }) => ({
    ...rest,
    lease: rest.status === 'running' ? { seconds: 60, claim_id, claimed_at: null } : null,
    retry_count: Math.max(0, rest.attempt - 1),
    failure_kind: rest.status === 'failed' ? failure_kind : null,
  }))

const newcomer = fc
  .tuple(
    state,
    fc.record({
      backend: fc.constantFrom(...BACKENDS),
      container: fc.constantFrom(...CONTAINERS),
      cycle_index: fc.nat(2),
    }),
  )
  .map(([now, definition]) => ({ ...now, ...definition }))

function changesTo(now: fc.Arbitrary<Partial<Experiment>>) {
  return fc.array(fc.record({ place: fc.nat(), now }), { maxLength: 5 })
}

const decision = fc.record({
  /** Which of the values made so far it is made on. */
  on: fc.nat(),
  changed: fc.oneof(changesTo(state), changesTo(state), changesTo(newcomer)),
  appended: fc.array(newcomer, { maxLength: 40 }),
})

/** A campaign beside the plain list that it must answer like. */
interface Value {
  readonly campaign: Campaign
  readonly experiments: readonly Experiment[]
}

test('what is changed keeps all of its header, in the order of the manifest', () => {
  const changed = campaignOf([{}]).with({ at: AT, header: { campaign_name: 'another' } })
  expect(Object.keys(changed.header)).toEqual(
    Object.keys(headerProperties).filter((key) => key !== 'definition_digest'),
  )
  expect(changed.header.campaign_name).toBe('another')
})

test('every value of a campaign matches its list of experiments, whatever was derived from it', () => {
  fc.assert(
    fc.property(
      fc.array(newcomer, { minLength: 1, maxLength: 70 }),
      fc.array(decision, { maxLength: 8 }),
      (first, decisions) => {
        const settings = { ...DEFAULT_SETTINGS, ...BUDGETS }
        const campaign = campaignOf(first, { settings })
        const values: [Value, ...Value[]] = [{ campaign, experiments: campaign.toManifest().experiments }]
        for (const [round, { on, changed, appended }] of decisions.entries()) {
          const base = values[on % values.length] ?? values[0]
          const ofRound = appended.map((now, index) => experiment({ ...now, exp_id: `new-${round}-${index}` }))
          values.push(decide(base, changed, ofRound))
        }
        const ids = new Set(values.flatMap(({ experiments }) => experiments.map(({ exp_id }) => exp_id)))
        for (const value of values) expectLikeList(value, ids)
      },
    ),
  )
})

test('a decision adds one revision and has its time', () => {
  const before = campaignOf([{}], { revision: 6 })
  const after = before.with({ at: AT, header: { campaign_name: 'renamed' } })
  expect(after.header).toEqual({ ...before.header, revision: 7, updated_at: AT, campaign_name: 'renamed' })
  expect(before.header).toMatchObject({ revision: 6, campaign_name: 'precision sweep' })
  expect(before.nextRevision).toBe(after.header.revision)
})

test('a change of a missing experiment is a fault', () => {
  expect(() => campaignOf([{}]).with({ at: AT, changed: [experiment({ exp_id: '0099' })] })).toThrow('0099')
})

test('two appends to one value do not see each other', () => {
  const base = campaignOf([{}, {}])
  const left = append(base, 'x')
  const right = append(base, 'y')
  expect(idsSeen(base)).toEqual([])
  expect(idsSeen(left)).toEqual(['x'])
  expect(idsSeen(right)).toEqual(['y'])
})

test('an experiment that two appends to one value put in different places is found by each', () => {
  const base = campaignOf([{}, {}])
  const left = append(base, 'x')
  const right = append(base, 'y', 'x')
  expect([base, left, right].map((campaign) => campaign.positionOf('x'))).toEqual([undefined, 2, 3])
})

test('a manifest read from a campaign makes the same campaign', () => {
  const campaign = append(campaignOf([{ status: 'running' }, {}]), 'x')
  const again = Campaign.of(campaign.toManifest())
  expect(again.toManifest()).toEqual(campaign.toManifest())
  expect(progressOf(again)).toEqual(progressOf(campaign))
})

function append(campaign: Campaign, ...ids: readonly string[]): Campaign {
  return campaign.with({ at: AT, appended: ids.map((exp_id) => experiment({ exp_id })) })
}

function idsSeen(campaign: Campaign): string[] {
  return ['x', 'y'].filter((id) => campaign.get(id) !== undefined)
}

function decide(
  { campaign, experiments }: Value,
  changes: readonly { readonly place: number; readonly now: Partial<Experiment> }[],
  appended: readonly Experiment[],
): Value {
  const changed = new Map<number, Experiment>()
  for (const { place, now } of changes) {
    const position = place % experiments.length
    changed.set(position, experiment({ ...experiments[position], ...now, revision: campaign.nextRevision }))
  }
  return {
    campaign: campaign.with({ at: AT, changed: [...changed.values()], appended }),
    experiments: [...experiments.map((one, position) => changed.get(position) ?? one), ...appended],
  }
}

function expectLikeList({ campaign, experiments }: Value, ids: Iterable<string>): void {
  expect(campaign.toManifest().experiments).toEqual(experiments)
  expect(campaign.header.total_experiments).toBe(experiments.length)
  for (const id of ids) {
    const position = experiments.findIndex(({ exp_id }) => exp_id === id)
    expect(campaign.positionOf(id)).toBe(position === -1 ? undefined : position)
    expect(campaign.get(id)).toBe(experiments[position])
  }
  for (const statuses of [['pending'], ['failed', 'pending'], ['running'], ['completed', 'skipped']] as const) {
    const inStatus = experiments.filter(({ status }) => statuses.some((one) => one === status))
    expect([...campaign.inStatus(...statuses)]).toEqual(inStatus)
  }
  const { campaign_id, campaign_name, revision, updated_at } = campaign.header
  const { ended, ...progress } = recount(experiments)
  expect(progressOf(campaign)).toEqual(
    expect.objectContaining({ campaign_id, campaign_name, revision, updated_at, ...progress }),
  )
  expect(hasEnded(campaign)).toBe(ended)
  expectClaimsLikeList(campaign, experiments)
}

function expectClaimsLikeList({ queues }: Campaign, experiments: readonly Experiment[]): void {
  const positions = (matches: (experiment: Experiment) => boolean) =>
    [...experiments.keys()].filter((position) => matches(experiments[position] ?? experiment()))
  for (const backend of [undefined, ...BACKENDS]) {
    for (const container of [undefined, ...CONTAINERS]) {
      const filter = {
        ...(backend === undefined ? {} : { backend }),
        ...(container === undefined ? {} : { container }),
      }
      const fits = (one: Experiment) =>
        (backend === undefined || one.backend === backend) && (container === undefined || one.container === container)
      const again = (one: Experiment) => fits(one) && isWithinBudget(one)
      expect([...queues.claimable(filter, BUDGETS)]).toEqual([
        ...positions((one) => fits(one) && one.status === 'pending'),
        ...positions((one) => again(one) && one.status === 'failed'),
      ])
      const mayComeBack = ({ failures, losses }: Experiment) =>
        failures < BUDGETS.max_retries || losses < BUDGETS.max_losses
      expect(queues.mayFailAndBeClaimed(filter, BUDGETS)).toBe(
        positions((one) => fits(one) && one.status === 'running' && mayComeBack(one)).length > 0,
      )
    }
  }
  for (const claim of CLAIMS) {
    expect([...queues.claimedAs(claim)]).toEqual(positions((one) => one.lease?.claim_id === claim))
  }
}

function recount(experiments: readonly Experiment[]) {
  const counts = countByStatus(experiments)
  const total = experiments.length
  const failed = experiments.filter(({ status }) => status === 'failed')
  const canBeClaimedAgain = failed.some(isWithinBudget)
  const ended = counts['running'] === 0 && counts['pending'] === 0 && !canBeClaimedAgain
  const isComplete = experiments.every(({ status }) => status === 'completed' || status === 'skipped')
  const started = experiments.some(({ attempt }) => attempt > 0)
  return {
    total,
    counts,
    ended,
    state: isComplete
      ? 'completed'
      : counts['running'] !== 0
        ? 'running'
        : ended
          ? 'failed'
          : started
            ? 'idle'
            : 'pending',
    remaining: experiments.filter(({ status }) => status === 'pending' || status === 'failed').length,
    progress_fraction: experiments.filter(({ status }) => status === 'completed').length / total,
    is_complete: isComplete,
    started_at: STARTS.find((start) => experiments.some(({ started_at }) => started_at === start)) ?? null,
    failures: Object.fromEntries(groups(failed, 'failure_kind').map(([kind, of]) => [kind, of.length])),
    by_backend: Object.fromEntries(groups(experiments, 'backend').map(([backend, of]) => [backend, countByStatus(of)])),
    by_cycle: Object.fromEntries(groups(experiments, 'cycle_index').map(([cycle, of]) => [cycle, countByStatus(of)])),
  }
}

function countByStatus(experiments: readonly Experiment[]): Record<string, number> {
  const count = (status: string) => experiments.filter((one) => one.status === status).length
  return Object.fromEntries(EXPERIMENT_STATUSES.map((status) => [status, count(status)]))
}

function groups(
  experiments: readonly Experiment[],
  key: 'failure_kind' | 'backend' | 'cycle_index',
): [string, Experiment[]][] {
  const values = new Set(experiments.map((one) => String(one[key])))
  return [...values].map((value) => [value, experiments.filter((one) => String(one[key]) === value)])
}

test('a decision that changes many experiments gives what as many decisions give', () => {
  const statuses = EXPERIMENT_STATUSES.map((status) => ({ status, started_at: STARTS[0] ?? null }))
  const given = (index: number) => ({ ...statuses[index % statuses.length], backend: BACKENDS[index % 3] ?? '' })
  const before = campaignOf(Array.from({ length: 700 }, (_, index) => given(index)))
  const after = (one: Experiment, index: number): Experiment => ({
    ...one,
    ...experiment({ ...one, ...statuses[(index + 1) % statuses.length], completed_at: AT, worker: 'w1' }),
    revision: before.nextRevision,
  })
  const changed = [...before.experiments].slice(0, 600).map(after)
  const together = before.revise({ at: AT, changed })
  let single = before
  for (const one of changed) single = single.with({ at: AT, changed: [one] })
  expect([...together.campaign.experiments]).toEqual([...single.experiments])
  expect(together.campaign.experiments.summary).toEqual(single.experiments.summary)
  expect(together.lines.size).toBe(600)
  expect(together.campaign.nextRevision).toBe(before.nextRevision + 1)
  const derived = (campaign: Campaign) => ({
    ...progressOf(campaign),
    ...{ revision: 0, bytes: campaign.bytes, claimable: [...campaign.queues.claimable({}, BUDGETS)] },
  })
  expect(derived(together.campaign)).toEqual(derived(single))
  expect(changed.map(({ exp_id }) => together.campaign.positionOf(exp_id))).toEqual(changed.map((_, index) => index))
})
