import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { storedManifest } from '../../../support/store/files.js'
import { anyChoice, definition, errorText, given, resultPath, sometimes } from '../arguments/arguments.js'
import { ifMatchOften } from '../arguments/condition.js'
import { GOOD_TIMES, readTime } from '../arguments/times.js'
import { created, type PlainCampaign } from '../campaign/campaign-model.js'
import { keptError } from '../campaign/experiment-model.js'
import { Refused } from '../campaign/refused.js'
import { type SavedFile, savedOver, type Told, toldOf } from '../campaign/save-model.js'
import { manifestOf, pathOf, problem, type Scene } from '../scene.js'
import { command } from './command.js'

const time = fc.constantFrom(...GOOD_TIMES.map(readTime), null)

/** What the tool has done with an experiment since it was read. */
const edit = fc
  .record({
    status: fc.constantFrom<Experiment['status'][]>('pending', 'running', 'completed', 'failed', 'skipped'),
    started_at: sometimes(2, time),
    ...{ completed_at: sometimes(3, time), result_path: sometimes(3, resultPath), error: sometimes(3, errorText) },
    ...{ retries: sometimes(3, fc.constantFrom(-1, 1)), backend: sometimes(8, fc.constantFrom('vllm', 'tensorrt')) },
  })
  .map(given)

type Edit = ReturnType<typeof given<{ [K in keyof Told]: Told[K] | undefined } & { retries: number | undefined }>>

/** PUT of the manifest as the tool would have it: mostly of the version that it read. */
export const save = command({
  name: 'save',
  weight: 20,
  arguments: fc.record({
    campaign: anyChoice,
    name: fc.constantFrom('sweep', 'saved'),
    edits: fc.array(sometimes(3, edit), { minLength: 1, maxLength: 6 }),
    more: sometimes(4, fc.integer({ min: 1, max: 14 })),
    drops: sometimes(15, fc.constant(true)),
    force: fc.constantFrom(false, false, true),
    ifMatch: ifMatchOften,
  }),
  run: async (scene, { campaign, name, edits, more, drops = false, force, ifMatch }) => {
    const { world } = scene
    const id = world.choose(campaign)
    const there = world.experimentsOf(id)
    const told = (one: Experiment, index: number) => edited(toldOf(one), edits[index % edits.length])
    const isNew = more !== undefined && there.every(({ exp_id }) => exp_id !== definition(more, 0).exp_id)
    const file = {
      campaign_name: `${world.prefix} ${name}`,
      told: there.map(told).slice(Number(drops)),
      more: isNew ? [definition(more, 0)] : [],
      force,
    }
    // What it leaves as it is, the tool has from what it read: times and texts that the model only knows the sense of.
    const read = there.length === 0 ? [] : storedManifest(scene.service.dataDir, id).experiments
    await putFile(scene, id, file, { sent: read.map(told).slice(Number(drops)), ...ifMatch(world, id) })
  },
})

async function putFile(
  scene: Scene,
  id: string,
  file: SavedFile,
  match: { readonly sent: readonly Told[]; readonly header?: string; readonly holds: boolean },
): Promise<void> {
  const { world } = scene
  const { campaign_name, more, force } = file
  const config_hash = world.campaigns.get(id)?.config_hash ?? 'hash-1'
  const body = { campaign_name, config_hash, experiments: [...match.sent, ...more] }
  const headers = match.header === undefined ? {} : { headers: { 'if-match': match.header } }
  const call = { method: 'PUT', path: `${pathOf(id)}${force ? '?force=true' : ''}`, body, ...headers } as const
  const before = world.campaigns.get(id)
  try {
    if (before === undefined && match.header !== undefined) throw new Refused(412, 'precondition-failed')
    if (before !== undefined && match.header === undefined) throw new Refused(428, 'precondition-required')
    if (!match.holds) throw new Refused(412, 'precondition-failed')
    const after =
      before === undefined
        ? created({ ...body, campaign_id: id }, { id, now: world.now, created_by: null })
        : savedOver(before, file, world.at(before))
    if (before === undefined) {
      world.add(after)
      world.drafts.set(id, { ...body, campaign_id: id })
    } else keep(scene, before, after)
    const status = before === undefined ? 201 : 200
    await scene.ask(call, { status, body: manifestOf(after), tagOf: { campaign: id } })
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    await scene.ask(call, problem(error))
  }
  await scene.checkAll(id)
}

/** What was known of the attempts of an experiment does not hold any more once the tool has said otherwise. */
function keep(scene: Scene, before: PlainCampaign, after: PlainCampaign): void {
  const { world } = scene
  if (after !== before) world.keep(after)
  for (const [index, one] of before.experiments.entries()) {
    if (after.experiments[index] !== one) world.attempts.forget(world.lifeOf(after.campaign_id), one.exp_id)
  }
}

function edited(told: Told, change: Edit | undefined): Told {
  if (change === undefined) return told
  const { retries = 0, error = told.error, ...fields } = change
  return { ...told, ...fields, error: keptError(error), retry_count: Math.max(0, told.retry_count + retries) }
}
