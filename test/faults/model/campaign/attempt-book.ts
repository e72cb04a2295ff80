import type { Experiment } from '#campaignd/domain/experiment/experiment.js'

type End = Pick<Experiment, 'attempt' | 'status' | 'result_path'>

/** What an answer may show of experiments, in any of these ways. */
export interface Body extends Partial<Experiment> {
  readonly campaign_id?: string
  readonly experiments?: readonly Experiment[]
  readonly claims?: readonly { readonly experiment: Partial<Experiment> }[]
  readonly results?: readonly { readonly experiment?: Partial<Experiment> }[]
}

interface Known {
  /** The attempt that runs, and the worker that was answered so. */
  live: Pick<Experiment, 'attempt' | 'worker'> | null
  /** The last attempt that is known to have ended. */
  over: number
  readonly ends: Map<number, End>
}

/** What replies said of attempts, independent of the model: no two are live at once, an acknowledged finish stays. */
export class AttemptBook {
  private readonly known = new Map<string, Known>()

  /**
   * @param owner the campaign, distinguished from an earlier one of its id
   * @param isReport the reply acknowledges what it shows
   * @throws Error for two live attempts, one that is live after its end, or a lost acknowledged finish
   */
  read(owner: string, body: Body, isReport: boolean): void {
    const { claims = [], results = [] } = body
    const reported = [...results, ...(isReport ? [{ experiment: body }] : [])]
    for (const { experiment } of reported) {
      if (experiment?.exp_id === undefined) continue
      this.see(owner, experiment as Experiment)
      this.acknowledge(owner, experiment as Experiment)
    }
    for (const { experiment } of [...claims, { experiment: body }]) {
      if (experiment.exp_id !== undefined) this.see(owner, experiment as Experiment)
    }
    for (const experiment of body.experiments ?? []) this.see(owner, experiment)
    if (body.campaign_id !== undefined) for (const experiment of body.experiments ?? []) this.verify(owner, experiment)
  }

  /** Forgets an experiment of which somebody with a right to it has said otherwise. */
  forget(owner: string, expId: string): void {
    this.known.delete(`${owner} ${expId}`)
  }

  private see(owner: string, { exp_id, status, attempt, worker }: Experiment): void {
    const known = this.of(owner, exp_id)
    const { live } = known
    if (status !== 'running') {
      known.live = null
      known.over = Math.max(known.over, attempt)
      return
    }
    if (live !== null && (live.attempt !== attempt || (live.worker ?? worker) !== worker)) {
      throw new Error(`two live attempts of ${owner} ${exp_id}: ${said(live)} and ${said({ attempt, worker })}`)
    }
    if (attempt <= known.over) throw new Error(`attempt ${attempt} of ${owner} ${exp_id} lives again`)
    known.live = { attempt, worker }
  }

  private acknowledge(owner: string, { exp_id, status, attempt, result_path, attempts }: Experiment): void {
    // An import may bring the end of an attempt along that goes on here: it is recorded once.
    const isRecorded = attempts.some((past) => past.attempt === attempt)
    if ((status !== 'completed' && status !== 'failed') || isRecorded) return
    this.of(owner, exp_id).ends.set(attempt, { attempt, status, result_path })
  }

  /** Each finish is the current attempt, or in the history. */
  private verify(owner: string, experiment: Experiment): void {
    const { exp_id, attempts } = experiment
    const there: readonly End[] = experiment.status === 'pending' ? attempts : [...attempts, experiment]
    for (const [attempt, end] of this.of(owner, exp_id).ends) {
      const fellOff = attempts.length === KEPT_ATTEMPTS && attempt < (attempts[0]?.attempt ?? 0)
      if (!fellOff && !there.some((one) => isThe(end, one))) {
        throw new Error(
          `${owner} ${exp_id} lost the finish of attempt ${attempt}: ${end.status} ${String(end.result_path)}`,
        )
      }
    }
  }

  private of(owner: string, expId: string): Known {
    const key = `${owner} ${expId}`
    const known = this.known.get(key) ?? { live: null, over: 0, ends: new Map<number, End>() }
    this.known.set(key, known)
    return known
  }
}

const KEPT_ATTEMPTS = 20

/** What failed may be skipped afterwards. */
function isThe(end: End, { attempt, status, result_path }: End): boolean {
  if (attempt !== end.attempt) return false
  return status === 'skipped' || (status === end.status && result_path === end.result_path)
}

function said({ attempt, worker }: Pick<Experiment, 'attempt' | 'worker'>): string {
  return `${attempt} of ${worker ?? 'no worker'}`
}
