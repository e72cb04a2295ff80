import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { WholeDraft } from '#campaignd/domain/operations/draft.js'
import { definition, flaw, given, sometimes } from '../arguments/arguments.js'
import { importedState } from '../arguments/draft-arguments.js'
import { GIVEN_TIMES } from '../arguments/times.js'
import { created } from '../campaign/campaign-model.js'
import { Refused } from '../campaign/refused.js'
import { manifestOf, problem, type Scene } from '../scene.js'
import { command } from './command.js'

const GOOD_TIME = '2026-02-03T21:04:17.319Z'

const experiment = fc.record({ variant: fc.constantFrom(0, 0, 0, 1), imported: sometimes(3, importedState) })

const experiments = fc
  .oneof(
    { weight: 15, arbitrary: fc.array(experiment, { minLength: 1, maxLength: 6, size: 'max' }) },
    { weight: 1, arbitrary: fc.constant([]) },
  )
  .map((all) => all.map((one, index) => ({ ...definition(index + 1, one.variant), ...one.imported })))

const settings = fc.constantFrom<NonNullable<WholeDraft['settings']>[]>(
  {},
  { max_retries: 2 },
  { lease_seconds: 75, paused: true },
  { max_retries: 1, max_losses: 0 },
  { max_losses: 1, worker_failure_limit: 0, priority: -5 },
  { worker_failure_limit: 1, max_retries: 3 },
  { worker_failure_limit: 2, max_retries: 3 },
)

/** What a whole manifest has that only the service says. */
const ignored = fc.constantFrom<Partial<WholeDraft>[]>(
  { format: 1, revision: 99, definition_digest: 'd'.repeat(64) },
  { format: 2, uid: '0123456789abcdef', imported_at: GOOD_TIME, created_by: 'c'.repeat(32), body_digest: null },
  { cancel_running: true, bench_lifted: { 'gpu-1': GOOD_TIME } },
)

const draft = fc
  .record({
    config_hash: fc.constantFrom('hash-1', 'hash-1', 'hash-2'),
    created_at: sometimes(5, fc.constantFrom(...GIVEN_TIMES)),
    updated_at: sometimes(5, fc.constantFrom(...GIVEN_TIMES)),
    settings: sometimes(3, settings),
    archived: sometimes(5, fc.boolean()),
    source: sometimes(5, fc.constantFrom(null, {}, { tool: 'sweeper', notes: ['a', { b: null }] })),
    ignored: sometimes(8, ignored),
    labels: sometimes(3, fc.constantFrom({}, { team: 'inference' }, { team: 'training', draft: '' })),
    total_experiments: sometimes(20, fc.constantFrom(1, 3)),
  })
  .map(({ ignored: more, ...all }): Omit<WholeDraft, 'campaign_id' | 'campaign_name' | 'experiments'> => {
    return { ...more, ...given(all), config_hash: all.config_hash }
  })

const FLAWS = [
  ...[{ experiments: {} }, { note: 1 }, { labels: { team: null } }, { config_hash: 7 }],
  ...[{ archived: 'no' }, { source: [] }, { format: 3 }, { settings: { eta: 1 } }],
]

/** POST of a new campaign, of one that is there (`isAgain`: as it was created last), or of an import. */
export const create = command({
  name: 'create',
  weight: 30,
  arguments: fc.record({
    slot: fc.constantFrom('a', 'a', 'a', 'b', 'c'),
    isAgain: fc.constantFrom(true, false),
    draft,
    name: fc.constantFrom('sweep', 'Sweep', 'ablation'),
    experiments,
    key: sometimes(6, fc.constantFrom('key one', 'key two')),
    flaw: flaw(30, ...FLAWS),
  }),
  run: (scene, { slot, isAgain, name, key, flaw: wrong, ...rest }) => {
    const { prefix, drafts } = scene.world
    const id = `${prefix}-${slot}`
    const fresh = { ...rest.draft, campaign_id: id, campaign_name: `${prefix} ${name}`, experiments: rest.experiments }
    return postCampaign(scene, { id, body: (isAgain ? drafts.get(id) : undefined) ?? fresh, flaw: wrong, key })
  },
})

/** POST without an id, with a key that makes up the same id each time. The model repeats how, to know what to check. */
export const createNamed = command({
  name: 'create-named',
  weight: 10,
  arguments: fc.record({
    name: fc.constantFrom('Made up', 'made-up!'),
    key: fc.constantFrom('key one', 'key two'),
    variant: fc.constantFrom(0, 0, 1),
  }),
  run: (scene, { name, key, variant }) => {
    const { prefix } = scene.world
    const id = `${prefix}-made-up-${hashOf(key).slice(0, 8)}`
    const both = [definition(1, variant), definition(2, 0)]
    const body = { campaign_name: `${prefix} ${name}`, config_hash: 'hash-1', experiments: both }
    return postCampaign(scene, { id, body, key })
  },
})

interface Post {
  readonly id: string
  readonly body: WholeDraft
  readonly flaw?: object | undefined
  readonly key?: string | undefined
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

async function postCampaign(scene: Scene, { id, body, flaw: wrong, key }: Post): Promise<void> {
  const { world } = scene
  const before = world.campaigns.get(id)
  const headers = key === undefined ? {} : { headers: { 'idempotency-key': key } }
  const call = { method: 'POST', path: '/v1/campaigns', body: { ...body, ...wrong }, ...headers } as const
  try {
    if (wrong !== undefined) throw new Refused(400, 'invalid')
    const created_by = key === undefined ? null : hashOf(key).slice(0, 32)
    const wanted = created(body, { id, now: world.now, created_by })
    if (before !== undefined && before.body !== wanted.body) throw new Refused(409, 'campaign-exists')
    if (before === undefined) {
      world.add(wanted)
      world.drafts.set(id, body)
      if (wanted.experiments.length === 0) scene.count('an empty one')
      if (wanted.imported_at !== null) scene.count('an import')
    }
    const expected = { status: before === undefined ? 201 : 200, body: manifestOf(before ?? wanted) }
    const reply = await scene.ask(call, { ...expected, tagOf: { campaign: id } })
    const location = before === undefined ? `/v1/campaigns/${id}` : undefined
    if (reply.headers['location'] !== location) {
      throw new Error(`the Location of ${id} is ${reply.headers['location'] ?? ''}`)
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    await scene.ask(call, problem(error))
  }
  await scene.checkAll(id)
}
