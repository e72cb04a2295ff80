import fc from 'fast-check'
import type { CommandKind } from '../command.js'

/** The service ends and starts again: all is as it was, to the byte. */
export const restart: CommandKind<null> = {
  name: 'restart',
  weight: 1,
  arguments: fc.constant(null),
  run: async (scene) => {
    const ids = [...scene.world.ids]
    const before = await texts()
    scene.world.diary.push('restart')
    await scene.service.restart()
    scene.world.restart()
    const after = await texts()
    for (const [index, text] of after.entries()) {
      if (text !== before[index]) throw new Error(`${ids[index] ?? ''} is another one after the restart`)
    }
    scene.count('done')

    async function texts(): Promise<string[]> {
      const all: string[] = []
      for (const id of ids) all.push(await scene.checkCampaign(id))
      return all
    }
  },
}
