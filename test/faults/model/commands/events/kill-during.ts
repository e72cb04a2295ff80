import fc from 'fast-check'
import { anyCampaign, anyExperiment, chosen, type ExperimentChoice } from '../../arguments/arguments.js'
import type { CommandKind } from '../command.js'
import { noCondition } from '../../arguments/condition.js'
import type { ProcessService } from '../../process-service.js'
import { pathOf, type Scene } from '../../scene.js'
import type { Call } from '../../service.js'
import type { CampaignChoice } from '../../world.js'
import { postClaim } from '../claim.js'
import { patchExperiment } from '../report.js'

interface Kill {
  readonly campaign: CampaignChoice
  readonly experiment: ExperimentChoice
  readonly call: 'claim' | 'completed' | 'failed'
}

/** A claim or a finish during which the service is killed is made once more: it is done once in every case. */
export function killDuring(service: ProcessService): CommandKind<Kill> {
  return {
    name: 'kill-during',
    weight: 30,
    arguments: fc.record({
      campaign: anyCampaign,
      experiment: anyExperiment,
      call: fc.constantFrom<Kill['call'][]>('claim', 'claim', 'completed', 'failed'),
    }),
    run: async (scene, { campaign, experiment, call }) => {
      const id = scene.world.choose(campaign)
      if (call === 'claim') {
        const request = { worker: 'gpu-1', limit: 2, claim_id: `kill ${service.kills}` }
        await kill(scene, { method: 'POST', path: `${pathOf(id)}/claims`, body: request })
        await postClaim(scene, id, request)
        return
      }
      const { experiments = [] } = scene.world.campaigns.get(id) ?? {}
      const running = experiments.filter(({ status }) => status === 'running')
      const expId = chosen(running, experiment)
      const { attempt = 0 } = running.find(({ exp_id }) => exp_id === expId) ?? {}
      const body = { status: call, attempt, result_path: `results/${service.kills}.json` }
      await kill(scene, { method: 'PATCH', path: `${pathOf(id)}/experiments/${expId}`, body })
      await patchExperiment(scene, { id, expId, meant: body, body, isFlawed: false, match: noCondition })
    },
  }

  async function kill({ world }: Scene, call: Call): Promise<void> {
    world.diary.push(`killed during ${call.method} ${call.path} ${JSON.stringify(call.body)}`)
    await service.restartDuring(call)
    world.restart()
  }
}
