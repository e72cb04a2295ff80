import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Changes, Decision } from '#campaignd/domain/campaign/campaign.js'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import { decided } from '../../support/campaigns/decisions.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import type { Call, Spoiling } from './service.js'
import { tryModel } from './trial.js'

/** Services that do one thing wrong each, and what the model must say of them. */
const WRONG: readonly { readonly name: string; readonly spoiling: Spoiling; readonly says: RegExp }[] = [
  {
    name: 'loses the error of an attempt that is put back',
    spoiling: { store: (store) => changing(store, (changes) => mapped(changes, withoutPastError)) },
    says: /attempts\/\d+\/error should be "/,
  },
  {
    name: 'gives what changes in a batch no new revision',
    spoiling: {
      store: (store) =>
        changing(store, (changes) => {
          const isBatch = (changes.changed?.length ?? 0) > 1
          return isBatch ? mapped(changes, (one) => ({ ...one, revision: one.revision - 1 })) : changes
        }),
    },
    says: /revision should be \d+, but is \d+/,
  },
  {
    name: 'lets a stale attempt pass',
    spoiling: { call: withoutAttempt },
    says: /it should be|status should be 409, but is 200|status should be 200, but is 409|code should be "stale-attempt"/,
  },
  {
    name: 'does not keep what a heartbeat tells',
    spoiling: { call: withoutNote },
    says: /note should be "|heartbeat .*status should be 400, but is 404/,
  },
  {
    name: 'ends a list of campaigns after its first page',
    spoiling: {
      store: (store) => overriding(store, { list: async (query) => ({ ...(await store.list(query)), next: null }) }),
    },
    says: /next_page_token should be "a token", but is null/,
  },
  {
    name: 'forgets which worker runs an experiment when it starts anew',
    spoiling: { restart: forgetWorkers },
    says: /worker should be "gpu-1"|did not outlive a restart|two live attempts of run-\d+.* of no worker/,
  },
  {
    name: 'hands out again what runs',
    spoiling: { store: handingOutAgain },
    says: /two live attempts of run-\d+/,
  },
  {
    name: 'gives a benched worker experiments',
    spoiling: { store: neverBenching },
    says: /benched_until should be "|claims\/0 should be absent|results\/\d+\/experiment\/revision should be/,
  },
  {
    name: 'gives up a lease and leaves it there',
    spoiling: { store: (store) => changing(store, (changes) => mapped(changes, withLease)) },
    says: /lease should be null, but is \{/,
  },
  {
    name: 'takes a stop that it asked for as a loss',
    spoiling: { store: (store) => changing(store, (changes) => mapped(changes, withLoss)) },
    says: /losses should be \d+, but is \d+/,
  },
  {
    name: 'has a late completion leave its record',
    spoiling: { store: (store) => changing(store, (changes) => mapped(changes, withRecord)) },
    says: /attempts\/\d+ should be absent, but is \{/,
  },
  {
    name: 'stores the keys of a lease in another order',
    spoiling: { store: (store) => changing(store, (changes) => mapped(changes, withOrder)) },
    says: /keys should be seconds claim_id claimed_at, but are/,
  },
]

test.each(WRONG)('the model notices a service that $name', async ({ spoiling, says }) => {
  const { counterexample } = await tryModel(temporaryDirectory(), {
    runs: 200,
    seed: 20260301,
    spoiling,
    shrinkLimit: 700,
  })
  expect(counterexample).toMatch(says)
  expect(counterexample).toMatch(/^seed 20260301, path [\d:]+, after \d+ shrinks: .*; what was done: 2026-03-01T/)
})

test('what it shows of a wrong service is made short', async () => {
  const spoiling = { call: withoutAttempt }
  const { counterexample } = await tryModel(temporaryDirectory(), {
    runs: 60,
    seed: 20260301,
    spoiling,
    shrinkLimit: 10_000,
  })
  expect(counterexample?.split(' | ').length).toBeLessThan(5)
})

function overriding(store: CampaignStore, methods: Partial<CampaignStore>): CampaignStore {
  return Object.assign(Object.create(store) as CampaignStore, methods)
}

/** The store, but with what is decided changed before it is kept. */
function changing(store: CampaignStore, spoil: (changes: Changes) => Changes): CampaignStore {
  const spoiled = <T>({ changes, result }: Decision<T>) => ({
    changes: changes === null ? null : spoil(changes),
    result,
  })
  return overriding(store, {
    update: (id, decide) => store.update(id, (campaign, at) => spoiled(decided(decide, campaign, at))),
  })
}

function mapped(changes: Changes, change: (one: Experiment) => Experiment): Changes {
  return changes.changed === undefined ? changes : { ...changes, changed: changes.changed.map(change) }
}

function withoutPastError(one: Experiment): Experiment {
  if (one.status !== 'pending') return one
  return { ...one, attempts: one.attempts.map((past) => ({ ...past, error: null })) }
}

/** Decides a claim that finds nothing once more, on a campaign in which all that runs under a lease is pending. */
function handingOutAgain(store: CampaignStore): CampaignStore {
  return overriding(store, {
    update: (id, decide) =>
      store.update(id, (campaign, at) => {
        const first = decided(decide, campaign, at)
        const changed = [...campaign.inStatus('running')]
          .filter(({ lease }) => lease !== null)
          .map((one): Experiment => ({ ...one, status: 'pending' }))
        if (!isEmptyClaim(first.result) || changed.length === 0) return first
        const again = decided(decide, campaign.with({ at: campaign.header.updated_at, changed }), at)
        return isEmptyClaim(again.result) ? first : again
      }),
  })
}

/** Decides a claim that finds its worker benched once more, on a campaign that benches nobody. */
function neverBenching(store: CampaignStore): CampaignStore {
  return overriding(store, {
    update: (id, decide) =>
      store.update(id, (campaign, at) => {
        const first = decided(decide, campaign, at)
        if (!isBenchedClaim(first.result)) return first
        const settings = { ...campaign.header.settings, worker_failure_limit: 0 }
        return decided(decide, campaign.with({ at: campaign.header.updated_at, header: { settings } }), at)
      }),
  })
}

function isBenchedClaim(result: unknown): boolean {
  return typeof (result as { readonly benchedUntil?: unknown } | null)?.benchedUntil === 'number'
}

function isEmptyClaim(result: unknown): boolean {
  const { done, experiments } = (result ?? {}) as { readonly done?: boolean; readonly experiments?: unknown[] }
  return done !== undefined && experiments?.length === 0
}

function withLease(one: Experiment): Experiment {
  return one.failure_kind === 'lost' ? { ...one, lease: { seconds: 60, claim_id: null, claimed_at: null } } : one
}

function withLoss(one: Experiment): Experiment {
  const isStopped = one.status === 'pending' && one.attempts.at(-1)?.closed_by === 'pause'
  return isStopped ? { ...one, losses: one.losses + 1 } : one
}

/** As if the attempt had not been reopened. */
function withRecord(one: Experiment): Experiment {
  const { attempt, worker, actor, error, result_path, metrics, started_at, completed_at } = one
  if (one.status !== 'completed' || result_path !== 'results/late.json') return one
  const outcome = { status: 'failed', failure_kind: 'interrupted', closed_by: 'requeue' } as const
  const past = { attempt, worker, actor, error, result_path, metrics, started_at, completed_at, ...outcome }
  return { ...one, attempts: [...one.attempts, past] }
}

function withOrder(one: Experiment): Experiment {
  if (one.lease === null) return one
  const { claimed_at, claim_id, seconds } = one.lease
  return { ...one, lease: { claimed_at, claim_id, seconds } }
}

function withoutAttempt(call: Call): Call {
  const isReport = call.method === 'PATCH' && call.path.includes('/experiments/')
  return isReport ? { ...call, body: { ...(call.body as object), attempt: undefined } } : call
}

function withoutNote(call: Call): Call {
  return call.path.endsWith('/heartbeat') ? { ...call, body: { ...(call.body as object), note: undefined } } : call
}

function forgetWorkers(dataDir: string): void {
  const directory = join(dataDir, 'campaigns')
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('"worker":"gpu-1"', '"worker":null'))
  }
}
