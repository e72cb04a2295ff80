import { Stage } from './stage.js'

/** How much of a fault is run: in `npm test`, in CI, in `npm run test:faults`. */
export type Size = 'short' | 'middle' | 'full'

export interface Fault {
  readonly name: string
  readonly how: string
  /** Why it cannot be run here; null when it can. */
  readonly whyNot?: () => string | null | Promise<string | null>
  run(stage: Stage, size: Size): Promise<Findings>
}

/** What a run found: it passed when there are no problems. What it counted is printed. */
export interface Findings {
  readonly counts: Counts
  readonly problems: readonly string[]
}

export type Counts = Readonly<Record<string, number>>

export type Outcome =
  | { readonly kind: 'passed'; readonly counts: Counts }
  | { readonly kind: 'failed'; readonly counts: Counts; readonly because: string }
  | { readonly kind: 'skipped'; readonly because: string }

const SHOWN_PROBLEMS = 3

/** Runs a fault on a stage of its own, which is cleared in every case. */
export async function runFault({ name, whyNot, run }: Fault, size: Size): Promise<Outcome> {
  const because = (await whyNot?.()) ?? null
  if (because !== null) return { kind: 'skipped', because }
  const stage = new Stage(name)
  try {
    const { counts, problems } = await run(stage, size)
    if (problems.length === 0) return { kind: 'passed', counts }
    const shown = problems.slice(0, SHOWN_PROBLEMS).join('; ')
    return { kind: 'failed', counts, because: `${problems.length} problems: ${shown}` }
  } finally {
    await stage.clear()
  }
}
