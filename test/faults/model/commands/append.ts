import fc from 'fast-check'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { anyCampaign, definition, flaw, sometimes } from '../arguments/arguments.js'
import { appended } from '../campaign/campaign-model.js'
import type { CommandKind } from './command.js'
import { ifMatch, type Condition } from '../arguments/condition.js'
import { importedState } from '../arguments/draft-arguments.js'
import type { CampaignChoice } from '../world.js'

interface Append {
  readonly campaign: CampaignChoice
  readonly experiments: readonly ExperimentDraft[]
  readonly flaw: object | undefined
  readonly ifMatch: Condition
}

const drafts = fc.array(
  fc
    .record({
      number: fc.integer({ min: 1, max: 12 }),
      variant: sometimes(12, fc.constant(1)),
      imported: sometimes(3, importedState),
    })
    .map(({ number, variant = 0, imported }): ExperimentDraft => ({ ...definition(number, variant), ...imported })),
  { minLength: 1, maxLength: 3 },
)

/** POST of experiments to a campaign: new ones, those that are there, and others of the same id. */
export const append: CommandKind<Append> = {
  name: 'append',
  weight: 30,
  arguments: fc.record({
    campaign: anyCampaign,
    experiments: drafts,
    flaw: flaw(20, { experiments: [] }, { experiments: [{ exp_id: '0001' }] }, { atomic: true }),
    ifMatch,
  }),
  run: (scene, { campaign, experiments, flaw: wrong, ifMatch: match }) => {
    const id = scene.world.choose(campaign)
    const call = { method: 'POST', path: '/experiments', body: { experiments, ...wrong } } as const
    const write = { campaign: id, ...call, ifMatch: match, isFlawed: wrong !== undefined }
    return scene.write(write, (before) => appended(before, experiments, scene.world.at(before)))
  },
}
