import type { Experiment } from '../../domain/experiment/experiment.ts'
import type { Progress } from '../../domain/views/progress.ts'

/** How an experiment is shown: its status, but interrupted and lost told apart from other failures. */
export const MARKS = ['completed', 'running', 'failed', 'interrupted', 'lost', 'pending', 'skipped'] as const

export type Mark = (typeof MARKS)[number]

/** What is drawn in a square of 16 for each: areas in its colour, then lines in ink. */
interface Shape {
  readonly colour: string
  readonly area: string
  readonly ink: string
  readonly inkColour: string
}

const SQUARE =
  'M1.5 0H14.5A1.5 1.5 0 0 1 16 1.5V14.5A1.5 1.5 0 0 1 14.5 16H1.5A1.5 1.5 0 0 1 0 14.5V1.5A1.5 1.5 0 0 1 1.5 0Z'

/** The outline of every mark, a line of 1. */
export const OUTLINE =
  'M2 .5H14A1.5 1.5 0 0 1 15.5 2V14A1.5 1.5 0 0 1 14 15.5H2A1.5 1.5 0 0 1 .5 14V2A1.5 1.5 0 0 1 2 .5Z'

/** Colours that differ for every kind of colour vision; the shapes differ as well. */
export const SHAPES: Readonly<Record<Mark, Shape>> = {
  pending: { colour: '#e3e6ea', area: `${SQUARE}M3 3V13H13V3Z`, ink: '', inkColour: '' },
  running: {
    colour: '#4aa8ff',
    area: 'M1.5 0H8V16H1.5A1.5 1.5 0 0 1 0 14.5V1.5A1.5 1.5 0 0 1 1.5 0Z',
    ink: '',
    inkColour: '',
  },
  completed: { colour: '#0f5c4a', area: SQUARE, ink: '', inkColour: '' },
  failed: { colour: '#d55e00', area: SQUARE, ink: 'M4.5 4.5 11.5 11.5M11.5 4.5 4.5 11.5', inkColour: '#ffffff' },
  interrupted: { colour: '#ffd166', area: SQUARE, ink: 'M5.5 4V12M10.5 4V12', inkColour: '#1a2029' },
  lost: {
    colour: '#7b2d8e',
    area: SQUARE,
    ink: 'M5.4 6.2A2.6 2.6 0 1 1 9 8.3Q8 8.8 8 10M8 12.1V12.7',
    inkColour: '#ffffff',
  },
  skipped: { colour: '#8a8f98', area: SQUARE, ink: 'M4 8H12', inkColour: '#ffffff' },
}

export function markOf({ status, failure_kind }: Pick<Experiment, 'status' | 'failure_kind'>): Mark {
  if (status === 'failed' && (failure_kind === 'interrupted' || failure_kind === 'lost')) return failure_kind
  return status
}

export function isMark(text: string): text is Mark {
  return MARKS.some((mark) => mark === text)
}

/** How many experiments have each mark. */
export function countMarks({ counts, failures }: Pick<Progress, 'counts' | 'failures'>): Record<Mark, number> {
  const interrupted = failures['interrupted'] ?? 0
  const lost = failures['lost'] ?? 0
  return { ...counts, interrupted, lost, failed: counts.failed - interrupted - lost }
}
