import type { Experiment } from '../experiment/experiment.ts'

/** Experiments in a piece. */
const PIECE = 64

/**
 * A file as the Python tool lays it out, in pieces of a few experiments: an indent of two, no line break at the end. Pydantic's
 * `model_dump_json(indent=2)` formats and escapes as `JSON.stringify` does.
 *
 * @param header all but the experiments, which come last
 */
export function* toolPieces(
  header: object,
  experiments: Iterable<Experiment>,
  entryOf: (experiment: Experiment) => object,
): Generator<string, void> {
  let piece = `${JSON.stringify(header, null, 2).slice(0, -'\n}'.length)},\n  "experiments": [`
  let position = 0
  for (const experiment of experiments) {
    const json = JSON.stringify(entryOf(experiment), null, 2)
    piece += `${position === 0 ? '' : ','}\n${json}`.replaceAll('\n', '\n    ')
    position += 1
    if (position % PIECE !== 0) continue
    yield piece
    piece = ''
  }
  yield `${piece}${position === 0 ? '' : '\n  '}]\n}`
}
