import fc from 'fast-check'
import type { Counts } from '../fault.js'
import type { Stage } from '../stage.js'
import type { ModelCommand } from './commands/command.js'
import { anyCommand, anyCommandOn, firstCommand } from './commands/commands.js'
import { runOut } from './commands/events/elapse.js'
import { restartService } from './commands/events/restart.js'
import { ProcessService } from './process-service.js'
import { type Met, pathOf, Scene } from './scene.js'
import { ModelledService, type Service, type Spoiling } from './service.js'
import { World } from './world.js'

export interface TrialOptions {
  readonly runs: number
  readonly seed: number
  readonly spoiling?: Spoiling
  /** Milliseconds that the search for a shorter counterexample may take. */
  readonly shrinkLimit?: number
}

export interface TrialResult {
  readonly counts: Counts
  readonly met: Met
  /** The shortest commands after which service and model differ, and how; null when they never do. */
  readonly counterexample: string | null
}

const SHRINK_LIMIT = 20_000

interface Plan {
  readonly service: Service
  readonly command: fc.Arbitrary<ModelCommand>
  readonly maxCommands: number
  /** After so many runs the service starts anew, with the campaigns of all of them. */
  readonly runsKept: number
}

/** Runs random commands against the service and the model. One service serves all runs: each has campaigns of its own. */
export async function tryModel(dataDir: string, options: TrialOptions): Promise<TrialResult> {
  const service = await ModelledService.open(dataDir, options.spoiling ?? {})
  try {
    return await new Trial({ service, command: anyCommand, maxCommands: 60, runsKept: 25 }, options).run()
  } finally {
    await service.close()
  }
}

/** The same against a real process that is killed again and again, and by real clocks: times are not compared. */
export async function tryModelOnStage(stage: Stage, options: TrialOptions): Promise<TrialResult> {
  const service = await ProcessService.open(stage)
  const plan = { service, command: anyCommandOn(service), maxCommands: 45, runsKept: 4 }
  const result = await new Trial(plan, options).run()
  return { ...result, counts: { ...result.counts, kills: service.kills } }
}

class Trial {
  private readonly met: Met = new Map()
  private runs = 0
  private restarts = 0
  private kept: World[] = []
  private failedAt: number | null = null

  constructor(
    private readonly plan: Plan,
    private readonly options: TrialOptions,
  ) {}

  async run(): Promise<TrialResult> {
    const { runs, seed } = this.options
    const { command, maxCommands } = this.plan
    const commands = fc.commands([command], { maxCommands, size: 'max' })
    const property = fc.asyncProperty(firstCommand, commands, (first, rest) => this.runOnce(first, rest))
    const details = await fc.check(property, { numRuns: runs, seed })
    const answers = [...this.met.values()].reduce((total, count) => total + count, 0)
    return {
      counts: { runs: this.runs, answers, restarts: this.restarts },
      met: this.met,
      counterexample: inWords(details),
    }
  }

  private async runOnce(first: ModelCommand, rest: Iterable<ModelCommand>): Promise<void> {
    // What is not tried any more counts as right, so that the shortest that was found stays.
    if (this.failedAt !== null && performance.now() - this.failedAt > (this.options.shrinkLimit ?? SHRINK_LIMIT)) return
    this.runs += 1
    const world = new World(`run-${String(this.runs).padStart(6, '0')}`)
    const real = { service: this.plan.service, met: this.met }
    try {
      await first.run(world, real)
      await fc.asyncModelRun(() => ({ model: world, real }), rest)
      this.kept.push(world)
      const isLast = this.kept.length === this.plan.runsKept || this.runs === this.options.runs
      if (isLast) {
        await restartService(
          this.plan.service,
          this.kept.map((one) => this.sceneOf(one)),
        )
        this.restarts += 1
      }
      // No lease is left to run out in a later run, which would know nothing of it.
      if (this.plan.service.isTimed) await runOut(this.sceneOf(world))
      for (const id of world.ids) await this.sceneOf(world).checkAll(id)
      if (isLast) await this.remove()
    } catch (error) {
      this.failedAt ??= performance.now()
      await this.remove()
      const message = error instanceof Error ? error.message : String(error)
      throw new Error(`${message}; what was done: ${world.diary.join(' | ')}`, { cause: error })
    }
  }

  /** What past runs left would only make later ones slower. */
  private async remove(): Promise<void> {
    const ids = this.kept.splice(0).flatMap(({ ids }) => [...ids])
    for (const id of ids) await this.plan.service.call({ method: 'DELETE', path: `${pathOf(id)}?force=true` })
  }

  private sceneOf(world: World): Scene {
    return new Scene(world, this.plan.service, 'at the end', this.met)
  }
}

function inWords<T>(details: fc.RunDetails<T>): string | null {
  if (!details.failed) return null
  const { seed, counterexamplePath, errorInstance, numShrinks } = details
  const because = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return `seed ${seed}, path ${counterexamplePath ?? ''}, after ${numShrinks} shrinks: ${because}`
}
