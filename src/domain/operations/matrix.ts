import { createHash } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import { definitionProperties, type Experiment } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { SafeInteger, StrictObject, StringEnum } from '../schema.ts'

const { exp_id: _id, cycle_index: _cycle, ...config } = definitionProperties

const MAX_CONFIGS = 1000

export const Matrix = StrictObject(
  {
    configs: Type.Array(StrictObject(config), { minItems: 1, maxItems: MAX_CONFIGS, description: 'What is repeated' }),
    cycles: SafeInteger(1, { description: 'How many times each config is run', examples: [3] }),
    order: Type.Optional(
      StringEnum(['sequential', 'interleaved', 'shuffled'], {
        description:
          '`sequential`: all cycles of a config, then those of the next. `interleaved`: all configs, then the next cycle. ' +
          '`shuffled`: in an order that the seed makes, always the same. Default: sequential',
      }),
    ),
    seed: Type.Optional(SafeInteger(0, { description: 'Of `shuffled`. Default: 0', examples: [7] })),
  },
  {
    description:
      'Configs and cycles, in place of experiments: exp_ids are 0001 and so on, in the order in which they are run',
  },
)

type Matrix = Static<typeof Matrix>

type MatrixExperiment = Pick<Experiment, keyof typeof definitionProperties>

/** Numbers of a config and a cycle, from 0. */
type Run = readonly [config: number, cycle: number]

/** The experiments of a matrix, in the order in which they are run. */
export function* experimentsOf({
  configs,
  cycles,
  order = 'sequential',
  seed = 0,
}: Matrix): LongWork<MatrixExperiment[]> {
  const runs: Run[] = []
  const [outer, inner] = order === 'interleaved' ? [cycles, configs.length] : [configs.length, cycles]
  for (let index = 0; index < outer * inner; index += 1) {
    const [major, minor] = [Math.floor(index / inner), index % inner]
    runs.push(order === 'interleaved' ? [minor, major] : [major, minor])
    if (isBreak(index)) yield
  }
  const ordered = order === 'shuffled' ? yield* shuffled(runs, seed) : runs
  const digits = Math.max(4, String(runs.length).length)
  const experiments: MatrixExperiment[] = []
  for (const [index, [number, cycle_index]] of ordered.entries()) {
    const exp_id = String(index + 1).padStart(digits, '0')
    experiments.push({ exp_id, ...(configs[number] as Matrix['configs'][number]), cycle_index })
    if (isBreak(index)) yield
  }
  return experiments
}

/** Hashes that begin with the same byte are sorted together: all in one go would hold the event loop. */
const BUCKETS = 256

/** By the sha256 of seed, config and cycle: the same everywhere. */
function* shuffled(runs: readonly Run[], seed: number): LongWork<Run[]> {
  const buckets = Array.from({ length: BUCKETS }, (): { readonly run: Run; readonly hash: Buffer }[] => [])
  for (const [index, run] of runs.entries()) {
    const hash = createHash('sha256')
      .update(JSON.stringify([seed, ...run]))
      .digest()
    buckets[hash[0] ?? 0]?.push({ run, hash })
    if (isBreak(index)) yield
  }
  const ordered: Run[] = []
  for (const bucket of buckets) {
    bucket.sort((a, b) => a.hash.compare(b.hash))
    for (const { run } of bucket) ordered.push(run)
    yield
  }
  return ordered
}
