import type { Metrics } from '../../domain/experiment/experiment.ts'
import type { Chance } from './chance.ts'

export interface DemoFailure {
  readonly failure_kind: 'error' | 'oom' | 'timeout' | 'interrupted'
  readonly error: string
}

/** Milliseconds that an attempt takes. */
export function durationOf(chance: Chance): number {
  return chance.between(4_000, 11_000)
}

/** What an attempt that took so long has measured. */
export function metricsOf(milliseconds: number, chance: Chance): Metrics {
  const round = (value: number) => Math.round(value * 10) / 10
  return {
    tokens_per_s: round(chance.between(420, 960)),
    energy_j: round((milliseconds / 1000) * chance.between(280, 690)),
  }
}

/** How an attempt of a config fails; null: it succeeds. The large batches of one backend run out of memory often. */
export function failureOf(config: string, chance: Chance): DemoFailure | null {
  if (config.includes('pytorch-70b-fp16') && chance.happens(0.45)) return outOfMemory(chance)
  if (!chance.happens(0.06)) return null
  return chance.of([outOfMemory, collective, tooLong, interrupted])(chance)
}

function outOfMemory(chance: Chance): DemoFailure {
  const wanted = chance.between(4, 40).toFixed(2)
  const error = [
    'Traceback (most recent call last):',
    '  File "/opt/bench/run.py", line 88, in main',
    '    outputs = engine.generate(batch, sampling)',
    '  File "/opt/bench/engine.py", line 412, in generate',
    '    logits = self.model(tokens, cache=self.cache)',
    `torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate ${wanted} GiB. GPU 0 has a total capacity of 79.15 GiB`,
  ]
  return { failure_kind: 'oom', error: error.join('\n') }
}

function collective(chance: Chance): DemoFailure {
  const rank = Math.floor(chance.between(0, 8))
  return { failure_kind: 'error', error: `RuntimeError: NCCL error on rank ${rank}: unhandled system error` }
}

function tooLong(chance: Chance): DemoFailure {
  return { failure_kind: 'timeout', error: `No token for ${Math.floor(chance.between(600, 900))} s: stopped` }
}

function interrupted(): DemoFailure {
  return { failure_kind: 'interrupted', error: 'Interrupted by user (SIGINT)' }
}
