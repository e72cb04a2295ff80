import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { CampaignDraft } from '#campaignd/domain/operations/draft.js'
import { definition, flaw, given, sometimes } from '../arguments/arguments.js'
import { importedState } from '../arguments/draft-arguments.js'
import { GIVEN_TIMES } from '../arguments/times.js'
import { created } from '../campaign/campaign-model.js'
import { Refused } from '../campaign/refused.js'
import { manifestOf, problem, type Scene } from '../scene.js'
import { command } from './command.js'

const experiments = fc
  .array(fc.record({ variant: fc.constantFrom(0, 0, 0, 1), imported: sometimes(3, importedState) }), {
    minLength: 1,
    maxLength: 6,
    size: 'max',
  })
  .map((all) => all.map((one, index) => ({ ...definition(index + 1, one.variant), ...one.imported })))

const draft = fc
  .record({
    config_hash: fc.constantFrom('hash-1', 'hash-1', 'hash-2'),
    created_at: sometimes(5, fc.constantFrom(...GIVEN_TIMES)),
    settings: sometimes(3, fc.constantFrom({}, { max_retries: 2 }, { lease_seconds: 75, paused: true })),
    labels: sometimes(3, fc.constantFrom({}, { team: 'inference' }, { team: 'training', draft: '' })),
    total_experiments: sometimes(20, fc.constantFrom(1, 3)),
  })
  .map((all): Omit<CampaignDraft, 'campaign_id' | 'campaign_name' | 'experiments'> => {
    return { ...given(all), config_hash: all.config_hash }
  })

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
    flaw: flaw(30, { experiments: [] }, { note: 1 }, { labels: { team: null } }, { config_hash: 7 }),
  }),
  run: (scene, { slot, isAgain, name, flaw: wrong, ...rest }) => {
    const { prefix, drafts } = scene.world
    const id = `${prefix}-${slot}`
    const fresh = { ...rest.draft, campaign_id: id, campaign_name: `${prefix} ${name}`, experiments: rest.experiments }
    return postCampaign(scene, { id, body: (isAgain ? drafts.get(id) : undefined) ?? fresh, flaw: wrong })
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
    const id = `${prefix}-made-up-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`
    const both = [definition(1, variant), definition(2, 0)]
    const body = { campaign_name: `${prefix} ${name}`, config_hash: 'hash-1', experiments: both }
    return postCampaign(scene, { id, body, key })
  },
})

interface Post {
  readonly id: string
  readonly body: CampaignDraft
  readonly flaw?: object | undefined
  readonly key?: string
}

async function postCampaign(scene: Scene, { id, body, flaw: wrong, key }: Post): Promise<void> {
  const { world } = scene
  const before = world.campaigns.get(id)
  const headers = key === undefined ? {} : { headers: { 'idempotency-key': key } }
  const call = { method: 'POST', path: '/v1/campaigns', body: { ...body, ...wrong }, ...headers } as const
  try {
    if (wrong !== undefined) throw new Refused(400, 'invalid')
    const wanted = created(body, id, world.now)
    if (before !== undefined && before.definition !== wanted.definition) throw new Refused(409, 'campaign-exists')
    if (before === undefined) {
      world.add(wanted)
      world.drafts.set(id, body)
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
