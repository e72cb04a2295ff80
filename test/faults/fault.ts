/** How much of a fault is run: in `npm test`, in CI, in `npm run test:faults`. */
export type Size = 'short' | 'middle' | 'full'

/** What a run of a fault found. A fault passes only when it says so; what it counted is printed. */
export type Outcome =
  | { readonly kind: 'passed'; readonly counts: Counts }
  | { readonly kind: 'failed'; readonly counts: Counts; readonly because: string }
  | { readonly kind: 'skipped'; readonly because: string }

export type Counts = Readonly<Record<string, number>>

export interface Fault {
  readonly name: string
  readonly how: string
  run(size: Size): Promise<Outcome>
}
