import fc from 'fast-check'
import { anyChoice, chosen, idOf } from '../../arguments/arguments.js'
import type { ProcessService } from '../../process-service.js'
import { pathOf, type Scene } from '../../scene.js'
import type { Call, Service } from '../../service.js'
import { postClaim } from '../claim.js'
import { command } from '../command.js'
import { patchExperiment } from '../report.js'

export const restart = command({
  name: 'restart',
  weight: 1,
  arguments: fc.constant(null),
  run: async (scene) => {
    scene.world.diary.push('restart')
    await restartService(scene.service, [scene])
    scene.count('done')
  },
})

/** The service ends and starts again: all that these know is as it was, to the byte. */
export async function restartService(service: Service, scenes: readonly Scene[]): Promise<void> {
  const before = await textsOf(scenes)
  await service.restart()
  for (const { world } of scenes) world.restart()
  const after = await textsOf(scenes)
  for (const [id, text] of before) if (after.get(id) !== text) throw new Error(`${id} did not outlive a restart`)
}

async function textsOf(scenes: readonly Scene[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const scene of scenes) for (const id of scene.world.ids) texts.set(id, await scene.checkCampaign(id))
  return texts
}

/** A claim or a finish during which the service is killed is made once more: it is done once in every case. */
export function killDuring(service: ProcessService) {
  return command({
    name: 'kill-during',
    weight: 30,
    arguments: fc.record({
      campaign: anyChoice,
      experiment: anyChoice,
      call: fc.constantFrom<('claim' | 'completed' | 'failed')[]>('claim', 'claim', 'completed', 'failed'),
    }),
    run: async (scene, { campaign, experiment, call }) => {
      const id = scene.world.choose(campaign)
      if (call === 'claim') {
        const request = { worker: 'gpu-1', limit: 2, claim_id: `kill ${service.kills}` }
        await kill(scene, { method: 'POST', path: `${pathOf(id)}/claims`, body: request })
        await postClaim(scene, id, request)
        return
      }
      const running = scene.world.experimentsOf(id).filter(({ status }) => status === 'running')
      const one = chosen(running, experiment)
      const body = { status: call, attempt: one?.attempt ?? 0, result_path: `results/${service.kills}.json` }
      await kill(scene, { method: 'PATCH', path: `${pathOf(id)}/experiments/${idOf(one)}`, body })
      await patchExperiment(scene, { id, expId: idOf(one), body })
    },
  })

  async function kill({ world }: Scene, call: Call): Promise<void> {
    world.diary.push(`killed during ${call.method} ${call.path} ${JSON.stringify(call.body)}`)
    await service.restartDuring(call)
    world.restart()
  }
}
