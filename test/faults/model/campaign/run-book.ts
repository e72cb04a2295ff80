import type { Experiment } from '#campaignd/domain/experiment/experiment.js'

interface Named {
  readonly run_id?: string | undefined
  readonly attempt?: number | undefined
}

/** An attempt that no experiment has, at no time. */
const NEVER = -9

type Run = Pick<Experiment, 'exp_id' | 'attempt'>

/** The run_ids that were seen. They are opaque: all that is known is that one names one run, and a run has one. */
export class RunBook {
  private readonly ids = new Map<string, string>()

  /**
   * @param life the campaign, distinguished from an earlier one of its id
   * @throws Error when it is another one than the run had, or that of another run
   */
  learn(life: string, run: Run, runId: unknown): void {
    const key = keyOf(life, run)
    const known = this.ids.get(key)
    if (known === runId) return
    if (typeof runId !== 'string' || runId === '') throw new Error(`${key} has the run_id ${String(runId)}`)
    if (known !== undefined) throw new Error(`${key} had the run_id ${known}, now it has ${runId}`)
    for (const [other, its] of this.ids)
      if (its === runId) throw new Error(`${key} has the run_id ${runId} of ${other}`)
    this.ids.set(key, runId)
  }

  of(life: string, run: Run): string | undefined {
    return this.ids.get(keyOf(life, run))
  }

  /** One of any other experiment, or of another life of it. */
  foreign(life: string, run: Run): string | undefined {
    return [...this.ids].find(([key]) => !key.startsWith(`${life} ${run.exp_id} `))?.[1]
  }

  /** What a call says that names a run, as if it had named the attempt; one that never was where it names no newest run. */
  asAttempt<T extends Named>(life: string, experiment: Run | undefined, call: T): Omit<T, 'run_id'> {
    const { run_id, ...rest } = call
    if (run_id === undefined || experiment === undefined) return rest
    const isNewest = this.of(life, experiment) === run_id
    const agrees = call.attempt === undefined || call.attempt === experiment.attempt
    return { ...rest, attempt: isNewest && agrees ? experiment.attempt : NEVER }
  }
}

function keyOf(life: string, { exp_id, attempt }: Run): string {
  return `${life} ${exp_id} attempt ${attempt}`
}
