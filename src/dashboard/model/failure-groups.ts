import type { Experiment } from '../../domain/experiment/experiment.ts'

/** Failures of one kind whose texts differ only in numbers, addresses and the like. */
export interface FailureGroup {
  readonly key: string
  readonly kind: string
  /** The text without what differs. */
  readonly pattern: string
  /** The full error text of the newest. */
  readonly message: string
  /** The experiments, newest failure first. */
  readonly experiments: readonly Experiment[]
}

const NO_TEXT = 'No error text was reported'

/** Largest groups first. */
export function groupFailures(failed: readonly Experiment[]): FailureGroup[] {
  const groups = new Map<string, { kind: string; pattern: string; experiments: Experiment[] }>()
  for (const experiment of failed) {
    const kind = experiment.failure_kind ?? 'error'
    const pattern = patternOf(experiment)
    const key = `${kind} ${pattern}`
    const group = groups.get(key) ?? { kind, pattern, experiments: [] }
    groups.set(key, group)
    group.experiments.push(experiment)
  }
  return [...groups]
    .map(([key, { kind, pattern, experiments }]) => {
      experiments.sort((a, b) => (b.completed_at ?? '').localeCompare(a.completed_at ?? ''))
      return { key, kind, pattern, experiments, message: experiments[0]?.error ?? NO_TEXT }
    })
    .sort((a, b) => b.experiments.length - a.experiments.length || (a.key < b.key ? -1 : 1))
}

/** Experiments are immutable, so their patterns are kept as long as they are. */
const patterns = new WeakMap<Experiment, string>()

function patternOf(experiment: Experiment): string {
  const known = patterns.get(experiment)
  if (known !== undefined) return known
  const pattern = normaliseError(experiment.error ?? NO_TEXT)
  patterns.set(experiment, pattern)
  return pattern
}

/** How many characters of a text are compared. */
const PATTERN_LENGTH = 300

/**
 * The most specific line of an error text, without what differs each time. Of a Python traceback that is the last line;
 * an exit code stays, since 137 and 1 are different failures.
 */
export function normaliseError(text: string): string {
  return headline(text)
    .slice(0, PATTERN_LENGTH)
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '‹id›')
    .replace(/\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?/g, '‹time›')
    .replace(/\b0x[0-9a-f]+\b/gi, '‹address›')
    .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi, '‹id›')
    .replace(/(?<![\w.])(?:\/[\w.@+=-]+){2,}\/?/g, '‹path›')
    .replace(
      /(exit (?:code|status) |signal |HTTP )?(\d+(?:\.\d+)?)/gi,
      (_, kept: string | undefined, digits: string) => (kept === undefined ? '‹n›' : `${kept}${digits}`),
    )
    .replace(/\s+/g, ' ')
    .trim()
}

/** The first line, or of a traceback the last one that is not indented. */
export function headline(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const isTraceback = lines.some((line) => line.startsWith('Traceback (most recent call last)'))
  const line = isTraceback ? lines.findLast((line) => !/^\s/.test(line)) : lines[0]
  return line?.trim() ?? NO_TEXT
}
