import fc from 'fast-check'
import type { CampaignDraft, ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { definition, flaw, given, sometimes } from '../arguments/arguments.js'
import { created, type PlainCampaign } from '../campaign/campaign-model.js'
import type { CommandKind } from './command.js'
import { importedState } from '../arguments/draft-arguments.js'
import { Refused } from '../campaign/refused.js'
import { manifestOf, problem, type Scene } from '../scene.js'
import { GIVEN_TIMES } from '../arguments/times.js'

interface Create {
  readonly slot: string
  /** As it was created last, instead of this one. */
  readonly isAgain: boolean
  readonly draft: Omit<CampaignDraft, 'campaign_id' | 'campaign_name' | 'experiments'>
  readonly name: string
  readonly experiments: readonly ExperimentDraft[]
  readonly flaw: object | undefined
}

const experiments = fc
  .array(fc.record({ variant: fc.constantFrom(0, 0, 0, 1), imported: sometimes(3, importedState) }), {
    minLength: 1,
    maxLength: 6,
    size: 'max',
  })
  .map((all) => all.map((one, index) => ({ ...definition(index + 1, one.variant), ...one.imported })))

/** POST of a new campaign, of one that is there, or of an import. */
export const create: CommandKind<Create> = {
  name: 'create',
  weight: 30,
  arguments: fc.record({
    slot: fc.constantFrom('a', 'a', 'a', 'b', 'c'),
    isAgain: fc.constantFrom(true, false),
    draft: fc
      .record({
        config_hash: fc.constantFrom('hash-1', 'hash-1', 'hash-2'),
        created_at: sometimes(5, fc.constantFrom(...GIVEN_TIMES)),
        settings: sometimes(3, fc.constantFrom({}, { max_retries: 2 }, { lease_seconds: 75, paused: true })),
        labels: sometimes(3, fc.constantFrom({}, { team: 'inference' }, { team: 'training', draft: '' })),
        total_experiments: sometimes(20, fc.constantFrom(1, 3)),
      })
      .map((draft) => ({ ...given(draft), config_hash: draft.config_hash })),
    name: fc.constantFrom('sweep', 'Sweep', 'ablation'),
    experiments,
    flaw: flaw(30, { experiments: [] }, { note: 1 }, { labels: { team: null } }, { config_hash: 7 }),
  }),
  run: (scene, { slot, isAgain, draft, name, experiments: list, flaw: wrong }) => {
    const id = `${scene.world.prefix}-${slot}`
    const fresh = { ...draft, campaign_id: id, campaign_name: `${scene.world.prefix} ${name}`, experiments: [...list] }
    const body = (isAgain ? scene.world.drafts.get(id) : undefined) ?? fresh
    return postCampaign(scene, { id, body, flaw: wrong })
  },
}

interface Post {
  readonly id: string
  readonly body: CampaignDraft
  readonly flaw?: object | undefined
  readonly key?: string
}

/** Posts a campaign that has, or will be given, this id. */
export async function postCampaign(scene: Scene, { id, body, flaw: wrong, key }: Post): Promise<void> {
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
    await tell(scene, call, before === undefined, before ?? wanted)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    await scene.ask(call, problem(error))
  }
  await scene.checkAll(id)
}

async function tell(
  scene: Scene,
  call: Parameters<Scene['ask']>[0],
  isNew: boolean,
  campaign: PlainCampaign,
): Promise<void> {
  const { campaign_id } = campaign
  const expected = { status: isNew ? 201 : 200, body: manifestOf(campaign), tagOf: { campaign: campaign_id } }
  const { headers } = await scene.ask(call, expected)
  const location = isNew ? `/v1/campaigns/${campaign_id}` : undefined
  if (headers['location'] !== location)
    throw new Error(`the Location of ${campaign_id} is ${headers['location'] ?? ''}`)
}
