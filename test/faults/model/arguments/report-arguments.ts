import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentReport } from '#campaignd/domain/operations/report-request.js'
import type { RunBook } from '../campaign/run-book.js'
import type { World } from '../world.js'
import { errorText, flaw, given, leaseSeconds, metrics, resultPath, sometimes } from './arguments.js'
import { GIVEN_TIMES, GOOD_TIMES } from './times.js'

/** How a report or heartbeat names its run, attempt and worker; undefined: not at all. */
export interface FenceChoice {
  readonly run?: 'its own' | 'the one before' | 'a foreign one' | undefined
  /** Relative to the current attempt. */
  readonly attempt: number | undefined
  readonly worker: 'its own' | 'gpu-1' | 'gpu-2' | undefined
}

/** A report whose attempt and worker are known only when its experiment is. */
interface ReportChoice extends FenceChoice {
  readonly fields: Omit<ExperimentReport, 'run_id' | 'attempt' | 'worker'>
  readonly flaw: object | undefined
}

type Status = NonNullable<ExperimentReport['status']>

const time = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...GOOD_TIMES) },
  { weight: 1, arbitrary: fc.constantFrom(...GIVEN_TIMES) },
)

const failureKind = fc.constantFrom<NonNullable<ExperimentReport['failure_kind']>[]>('oom', 'timeout', 'interrupted')

/** Which fields come with a status; any other one comes now and then, to be refused. */
function fieldsWith(status: Status | undefined): fc.Arbitrary<ReportChoice['fields']> {
  const often = (...statuses: (Status | undefined)[]) => (statuses.includes(status) ? 4 : 25)
  return fc
    .record({
      status: fc.constant(status),
      result_path: sometimes(often('completed', 'running', 'skipped', undefined), resultPath),
      metrics: sometimes(often('completed', undefined) * 2, metrics),
      error: sometimes(often('failed', 'completed', 'skipped', undefined), errorText),
      failure_kind: sometimes(often('failed', undefined), failureKind),
      started_at: sometimes(often('running', 'failed') * 2, time),
      completed_at: sometimes(often('completed', 'failed') * 2, time),
      lease_seconds: sometimes(often('running', undefined), leaseSeconds),
    })
    .map(given)
}

const status = fc.constantFrom<(Status | undefined)[]>(
  ...Array<Status>(5).fill('running'),
  ...(['completed', 'completed', 'failed', 'failed', 'skipped', 'pending', undefined] as const),
)

export const anyRun = sometimes(
  3,
  fc.constantFrom<FenceChoice['run'][]>('its own', 'its own', 'its own', 'the one before', 'a foreign one'),
)

export const anyReport: fc.Arbitrary<ReportChoice> = fc.record({
  fields: status.chain(fieldsWith),
  run: anyRun,
  attempt: sometimes(4, fc.constantFrom(0, 0, 1, 1, -1, 2)),
  worker: fc.constantFrom<ReportChoice['worker'][]>(undefined, 'its own', 'its own', 'gpu-1', 'gpu-2'),
  flaw: flaw(
    30,
    ...[{ status: 'done' }, { failure_kind: 'lost' }, { lease_seconds: 0 }, { note: 'x' }, { attempt: -1 }],
    ...[{ metrics: { tokens_per_s: '900' } }, { losses: 0 }],
  ),
})

/** @param id of the campaign */
export function reportOn(
  world: World,
  id: string,
  one: Experiment | undefined,
  choice: ReportChoice,
): ExperimentReport {
  return { ...choice.fields, ...fenceOf(world, id, one, choice) }
}

export function fenceOf(world: World, id: string, experiment: Experiment | undefined, choice: FenceChoice) {
  const { attempt, worker } = choice
  return given({
    run_id: experiment === undefined ? undefined : runOf(world.runs, world.lifeOf(id), experiment, choice),
    attempt: attempt === undefined ? undefined : Math.max(0, (experiment?.attempt ?? 0) + attempt),
    worker: worker === 'its own' ? (experiment?.worker ?? undefined) : worker,
  })
}

/** Undefined also where no such run is known. */
function runOf(runs: RunBook, life: string, { exp_id, attempt }: Experiment, { run }: FenceChoice): string | undefined {
  if (run === undefined) return undefined
  if (run === 'a foreign one') return runs.foreign(life, { exp_id, attempt })
  return runs.of(life, { exp_id, attempt: run === 'its own' ? attempt : attempt - 1 })
}
