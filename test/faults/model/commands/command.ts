import fc from 'fast-check'
import { Scene, type Met } from '../scene.js'
import type { Service } from '../service.js'
import type { World } from '../world.js'

/** A kind of command: how its arguments are made up, and what it does. */
export interface CommandKind<A> {
  readonly name: string
  /** How often it comes, beside the others. */
  readonly weight: number
  readonly arguments: fc.Arbitrary<A>
  /** Makes its calls. @throws Error when the service does not do what the model says */
  readonly run: (scene: Scene, given: A) => Promise<void>
}

/** The service of a run, and where what it met is counted. */
export interface Real {
  readonly service: Service
  readonly met: Met
}

export type ModelCommand = fc.AsyncCommand<World, Real>

/** A kind with its arguments made up, in one list whatever they are. */
export interface Weighted {
  readonly weight: number
  readonly arbitrary: fc.Arbitrary<ModelCommand>
}

/** Milliseconds that pass before a command; now and then the clock is set back. */
const pause = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -60_000, max: -1 }) },
)

export function command<A>({ name, weight, run, ...kind }: CommandKind<A>): Weighted {
  const arbitrary = fc.record({ pause, given: kind.arguments }).map(({ pause: milliseconds, given }): ModelCommand => {
    return {
      check: () => true,
      run: async (world, { service, met }) => {
        world.pass(milliseconds)
        service.now = world.now
        await run(new Scene(world, service, name, met), given)
      },
      toString: () => name,
    }
  })
  return { weight, arbitrary }
}
