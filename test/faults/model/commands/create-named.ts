import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { definition } from '../arguments/arguments.js'
import type { CommandKind } from './command.js'
import { postCampaign } from './create.js'

interface CreateNamed {
  readonly name: string
  readonly key: string
  readonly variant: number
}

/**
 * POST without an id, and with a key that makes the same one up each time. How it is made up is not for a client to know;
 * the model only needs to know which campaign to check.
 */
export const createNamed: CommandKind<CreateNamed> = {
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
    const experiments = [definition(1, variant), definition(2, 0)]
    const body = { campaign_name: `${prefix} ${name}`, config_hash: 'hash-1', experiments }
    return postCampaign(scene, { id, body, key })
  },
}
