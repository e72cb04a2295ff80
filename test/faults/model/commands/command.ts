import fc from 'fast-check'
import { type Met, Scene } from '../scene.js'
import type { Service } from '../service.js'
import type { World } from '../world.js'

interface CommandKind<A> {
  readonly name: string
  /** How often it comes, beside the others. */
  readonly weight: number
  readonly arguments: fc.Arbitrary<A>
  /** @throws Error when the service does not do what the model says */
  readonly run: (scene: Scene, given: A) => Promise<void>
}

interface Real {
  readonly service: Service
  readonly met: Met
}

export type ModelCommand = fc.AsyncCommand<World, Real>

/** Milliseconds that pass before a command; now and then the clock is set back. */
const pause = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -60_000, max: -1 }) },
)

/** @returns the kind, with its commands as `fc.oneof` takes them */
export function command<A>(kind: CommandKind<A>): CommandKind<A> & { readonly arbitrary: fc.Arbitrary<ModelCommand> } {
  const { name, run } = kind
  const arbitrary = fc.record({ pause, given: kind.arguments }).map(({ pause: milliseconds, given }): ModelCommand => {
    return {
      check: () => true,
      run: async (world, { service, met }) => {
        // By a real clock less goes by, in the same order.
        world.pass(service.isTimed ? milliseconds : 1)
        service.now = world.now
        await run(new Scene(world, service, name, met), given)
      },
      toString: () => name,
    }
  })
  return { ...kind, arbitrary }
}
