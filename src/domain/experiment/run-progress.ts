import { Type } from '@sinclair/typebox'
import { FreeText, Nullable } from '../schema.ts'

/** What the worker of a run told of it last. In memory only: it ends with the lease, and with the process. */
export interface RunProgress {
  readonly progress: number | null
  readonly note: string | null
}

/** A note is kept in memory for each lease, and shown in one line. */
const MAX_NOTE_LENGTH = 200

export const runProgressProperties = {
  progress: Nullable(Type.Number({ minimum: 0, maximum: 1 }), {
    description: 'How much of the run is done, as its worker says: from 0 to 1',
    examples: [0.4],
  }),
  note: Nullable(FreeText({ maxLength: MAX_NOTE_LENGTH }), {
    description: 'What the worker says of the run, for people',
    examples: ['epoch 2 of 5'],
  }),
}

/** Of a run that has begun, and of one whose worker says nothing. */
export const NOTHING_TOLD: RunProgress = { progress: null, note: null }

/**
 * What is known after a heartbeat. What it leaves out stays; null clears it.
 * @returns the same object when nothing is new
 */
export function withNews(
  before: RunProgress,
  {
    progress = before.progress,
    note = before.note,
  }: { readonly [K in keyof RunProgress]?: RunProgress[K] | undefined },
): RunProgress {
  return progress === before.progress && note === before.note ? before : { progress, note }
}
