import fc from 'fast-check'
import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { metrics, sometimes } from '../arguments/arguments.js'
import { anyRun, type FenceChoice, fenceOf } from '../arguments/report-arguments.js'
import type { PlainCampaign } from '../campaign/campaign-model.js'
import type { Scene } from '../scene.js'
import { command } from './command.js'
import { sendPatch } from './patch-campaign.js'
import { patchExperiment } from './report.js'

/** PATCH of an experiment that was lost, where there is one: by its worker after all, or by another one. */
export const lateReport = command({
  name: 'late-report',
  weight: 30,
  arguments: fc.record({
    status: fc.constantFrom<('completed' | 'failed')[]>('completed', 'failed'),
    attempt: fc.constantFrom(0, 0, 0, -1),
    worker: fc.constantFrom<FenceChoice['worker'][]>('its own', 'its own', 'gpu-2', undefined),
  }),
  run: async (scene, { status, ...fence }) => {
    const found = pick(scene, 0, ({ failure_kind }) => failure_kind === 'lost') ?? pick(scene, 0, wasLost)
    if (found === undefined) return
    const body = { status, ...fenceOf(scene.world, found.id, found.one, fence), result_path: 'results/late.json' }
    await patchExperiment(scene, { id: found.id, expId: found.one.exp_id, body })
  },
})

function wasLost({ attempts }: Experiment): boolean {
  return attempts.at(-1)?.failure_kind === 'lost'
}

/** PATCH of an experiment that was put back to pending, where there is one: by the worker that went on with its attempt. */
export const lateCompletion = command({
  name: 'late-completion',
  weight: 40,
  arguments: fc.record({
    status: fc.constantFrom<('completed' | 'failed')[]>('completed', 'completed', 'completed', 'failed'),
    nth: fc.nat(9),
    isNamed: fc.boolean(),
    run: anyRun,
    attempt: fc.constantFrom(0, 0, 0, 0, -1, undefined),
    // What is pending has no worker of its own: that of the attempt may be any of these.
    worker: fc.constantFrom<FenceChoice['worker'][]>(undefined, 'gpu-1', 'gpu-2'),
    metrics: sometimes(2, metrics),
  }),
  run: async (scene, { status, nth, isNamed, metrics: measured, ...fence }) => {
    const found = (isNamed ? pick(scene, nth, isOfWorker) : undefined) ?? pick(scene, nth, isPutBack)
    if (found === undefined) return
    const more = measured === undefined || status === 'failed' ? {} : { metrics: measured }
    const named = fenceOf(scene.world, found.id, found.one, fence)
    const body = { status, ...named, result_path: 'results/late.json', ...more }
    await patchExperiment(scene, { id: found.id, expId: found.one.exp_id, body })
  },
})

function isPutBack({ status, attempt }: Experiment): boolean {
  return status === 'pending' && attempt > 0
}

/** A worker is known that another one is not. */
function isOfWorker(one: Experiment): boolean {
  return isPutBack(one) && (one.attempts.at(-1)?.worker ?? null) !== null
}

/** Where anything runs it is told to stop now and then, so that its worker reports that it has; more than once if it hears no answer. */
export const stop = command({
  name: 'stop',
  weight: 40,
  arguments: fc.record({
    nth: fc.nat(9),
    isAgain: fc.constantFrom(false, false, true),
    tells: fc.constantFrom(true, false, false),
    goesOn: fc.boolean(),
    times: fc.constantFrom(1, 1, 2),
    run: anyRun,
    attempt: fc.constantFrom(0, 0, 0, -1, undefined),
    worker: fc.constantFrom<FenceChoice['worker'][]>('its own', 'its own', undefined, 'gpu-1'),
    error: sometimes(2, fc.constantFrom('told to stop', null)),
  }),
  run: async (scene, { nth, isAgain, tells, goesOn, times, error, ...fence }) => {
    const running = tells ? pick(scene, nth, ({ status }) => status === 'running') : undefined
    if (running !== undefined)
      await sendPatch(scene, { id: running.id, patch: { settings: { paused: true } }, cancels: true })
    const found = (isAgain ? undefined : pick(scene, nth, isToldToStop)) ?? pick(scene, nth, wasStopped)
    if (found === undefined) return
    const { id, one } = found
    const more = error === undefined ? {} : { error }
    const body = {
      status: 'failed',
      failure_kind: 'interrupted',
      ...fenceOf(scene.world, id, one, fence),
      ...more,
    } as const
    for (let time = 0; time < times; time += 1) await patchExperiment(scene, { id, expId: one.exp_id, body })
    if (goesOn) await sendPatch(scene, { id, patch: { settings: { paused: false } }, cancels: undefined })
  },
})

function wasStopped({ status, attempts }: Experiment): boolean {
  return status === 'pending' && attempts.at(-1)?.closed_by === 'pause'
}

function isToldToStop({ status }: Experiment, { cancel_running }: PlainCampaign): boolean {
  return cancel_running && status === 'running'
}

interface Found {
  readonly id: string
  readonly one: Experiment
}

/** One of those in all campaigns of which this holds. */
function pick(
  { world }: Scene,
  nth: number,
  isIt: (one: Experiment, campaign: PlainCampaign) => boolean,
): Found | undefined {
  const all = [...world.campaigns.values()].flatMap((campaign) =>
    campaign.experiments.filter((one) => isIt(one, campaign)).map((one) => ({ id: campaign.campaign_id, one })),
  )
  return all[nth % all.length]
}
