import fc from 'fast-check'
import { until } from '../../../../support/until.js'
import { anyChoice } from '../../arguments/arguments.js'
import { claimed } from '../../campaign/claim-model.js'
import { pathOf } from '../../scene.js'
import { postClaim } from '../claim.js'
import { command } from '../command.js'

/** Milliseconds after the end of a lease by which it must have been given up, on a machine that is busy. */
const LOSS_LIMIT = 20_000

/** A claim for a second or two of a worker that is not seen any more, until it is lost. */
export const lose = command({
  name: 'lose',
  weight: 25,
  arguments: fc.record({
    campaign: anyChoice,
    seconds: fc.constantFrom(1, 1, 2),
    kills: fc.constantFrom(false, false, true),
  }),
  run: async (scene, { campaign, seconds, kills }) => {
    const { world, service } = scene
    const request = { worker: 'gpu-3', lease_seconds: seconds }
    const open = [...world.campaigns.values()].find((one) => claimed(one, request, world.now).kind === 'handed out')
    const id = open?.campaign_id ?? world.choose(campaign)
    const began = performance.now()
    await postClaim(scene, id, request)
    const held = world.experimentsOf(id).find(({ lease }) => lease?.seconds === seconds)
    if (held === undefined) return
    if (kills) {
      world.diary.push('killed')
      await service.restart()
      world.restart()
    }
    const path = `${pathOf(id)}/experiments/${held.exp_id}`
    const isLost = async () => !(await service.call({ method: 'GET', path })).text.includes('"status":"running"')
    await until(`${path} is given up`, isLost, LOSS_LIMIT)
    const idle = (performance.now() - began) / 1000
    if (idle < seconds) throw new Error(`${held.exp_id} of ${id} is lost after ${idle} s of a lease of ${seconds} s`)
    // Just past this lease: all others are far longer.
    world.passForLeases(seconds * 1000 + 1)
    world.sweep()
    scene.count(kills ? 'lost after a kill' : 'lost')
    await scene.checkAll(id)
  },
})
