import fc from 'fast-check'
import { resourceOf } from '../campaign/tag-book.js'
import type { World } from '../world.js'

/** A condition on a version, once it is known of what. */
export type Condition = (world: World, campaign: string, experiment?: string) => Resolved

interface Resolved {
  readonly header?: string
  /** True when the header names the current version. */
  readonly holds: boolean
}

function none(): Resolved {
  return { holds: true }
}

function anyVersion(): Resolved {
  return { header: '*', holds: true }
}

function current(world: World, campaign: string, experiment?: string): Resolved {
  const tag = world.tags.of(resourceOf(campaign, experiment), world.versionOf(campaign, experiment))
  return tag === undefined ? none() : { header: tag, holds: true }
}

/** An earlier tag, if need be of a campaign that was deleted. */
function old(world: World, campaign: string, experiment?: string): Resolved {
  const others = world.tags.others(resourceOf(campaign, experiment), world.versionOf(campaign, experiment))
  return { header: others[0] ?? '"never"', holds: false }
}

function amongOthers(world: World, campaign: string, experiment?: string): Resolved {
  const { header } = current(world, campaign, experiment)
  return header === undefined ? none() : { header: `"never", ${header}`, holds: true }
}

function choices(weight: number, ...all: readonly Condition[]): fc.Arbitrary<Condition> {
  const named = all.map((condition) =>
    fc.constant(Object.assign(condition, { [fc.toStringMethod]: () => condition.name })),
  )
  return fc.oneof(
    { weight, arbitrary: fc.constant<Condition>(noCondition) },
    { weight: 1, arbitrary: fc.oneof(...named) },
  )
}

/** For calls that take none. */
export const noCondition: Condition = Object.assign(none, { [fc.toStringMethod]: () => 'none' })

/** For calls that change something: most make no condition. */
export const ifMatch = choices(5, current, current, old, anyVersion, amongOthers)

/** For a call that needs one. */
export const ifMatchOften = fc.oneof(
  { weight: 1, arbitrary: ifMatch },
  { weight: 6, arbitrary: fc.constant<Condition>(current) },
)

export const ifNoneMatch = choices(1, current, current, old, anyVersion, amongOthers)
