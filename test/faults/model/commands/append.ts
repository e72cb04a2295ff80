import fc from 'fast-check'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import { anyChoice, definition, flaw, sometimes } from '../arguments/arguments.js'
import { ifMatch } from '../arguments/condition.js'
import { importedState } from '../arguments/draft-arguments.js'
import { appended } from '../campaign/campaign-model.js'
import { command } from './command.js'

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
export const append = command({
  name: 'append',
  weight: 30,
  arguments: fc.record({
    campaign: anyChoice,
    experiments: drafts,
    flaw: flaw(20, { experiments: [] }, { experiments: [{ exp_id: '0001' }] }, { atomic: true }),
    ifMatch,
  }),
  run: (scene, { campaign, experiments, ...rest }) => {
    const call = { method: 'POST', path: '/experiments', body: { experiments } } as const
    return scene.write({ ...rest, ...call, campaign: scene.world.choose(campaign) }, (before) =>
      appended(before, experiments, scene.world.at(before)),
    )
  },
})
