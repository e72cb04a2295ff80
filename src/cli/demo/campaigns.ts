import type { CampaignDraft, ExperimentDraft } from '../../domain/operations/draft.ts'
import { durationOf, failureOf, metricsOf } from './attempt.ts'
import type { Chance } from './chance.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Attempts on one container before it cools down, and for how long. */
const BETWEEN_COOLINGS = 9
const COOLING = 3 * MINUTE

interface Plan {
  readonly campaign_id: string
  readonly campaign_name: string
  readonly configs: readonly string[]
  readonly cycles: number
  /** Cycles that have ended, and when the first began. */
  readonly done: number
  readonly begun: number
  readonly labels: Record<string, string>
}

/** A campaign that was completed yesterday, and one that ended with failures. */
export function finishedCampaigns(chance: Chance, now: number): CampaignDraft[] {
  const precision: Plan = {
    campaign_id: 'precision-sweep',
    campaign_name: 'llama3-8b precision sweep',
    configs: configsOf(['pytorch', 'tensorrt', 'vllm'], ['8b-bf16', '8b-fp8', '8b-int4']),
    ...{ cycles: 5, done: 5, begun: now - 30 * HOUR },
    labels: { team: 'inference', model: 'llama3-8b' },
  }
  const batches: Plan = {
    campaign_id: 'batch-sizes',
    campaign_name: 'llama3-70b batch sizes',
    configs: configsOf(['pytorch', 'vllm'], ['70b-fp16-b8', '70b-fp16-b32', '70b-fp16-b64']),
    ...{ cycles: 4, done: 4, begun: now - 7 * HOUR },
    labels: { team: 'inference', model: 'llama3-70b' },
  }
  return [withHistory(precision, chance, () => null), withHistory(batches, chance, failureOf)]
}

/** A campaign that began some time ago; the simulated workers run the rest. */
export function runningCampaign(chance: Chance, now: number): CampaignDraft {
  const plan: Plan = {
    campaign_id: 'nightly',
    campaign_name: 'nightly energy sweep',
    configs: configsOf(['pytorch', 'tensorrt', 'vllm'], ['8b-bf16', '8b-fp8', '70b-fp16', '70b-int4']),
    ...{ cycles: 36, done: 10, begun: now - 26 * MINUTE },
    labels: { team: 'energy', model: 'llama3' },
  }
  return { ...withHistory(plan, chance, failureOf), settings: { max_retries: 1, max_losses: 3, lease_seconds: 8 } }
}

function configsOf(backends: readonly string[], variants: readonly string[]): string[] {
  return backends.flatMap((backend) => variants.map((variant) => `${backend}-${variant}`))
}

/** The campaign with its first experiments run, one after the other on each container, which cools down now and then. */
function withHistory(plan: Plan, chance: Chance, fail: typeof failureOf): CampaignDraft {
  const { configs, cycles, done, begun, ...header } = plan
  const clocks = new Map<string, { at: number; attempts: number }>()
  const experiments = Array.from({ length: configs.length * cycles }, (_, index): ExperimentDraft => {
    const definition = definitionOf(configs[index % configs.length] ?? '', Math.floor(index / configs.length), index)
    if (definition.cycle_index >= done) return definition
    const clock = clocks.get(definition.container) ?? { at: begun, attempts: 0 }
    clocks.set(definition.container, clock)
    if (clock.attempts > 0 && clock.attempts % BETWEEN_COOLINGS === 0) clock.at += COOLING
    const start = clock.at
    const milliseconds = durationOf(chance)
    clock.at += milliseconds
    clock.attempts += 1
    const times = { started_at: iso(start), completed_at: iso(clock.at - SECOND / 2) }
    const worker = `gpu-node-${(index % 3) + 1}/${definition.container}`
    const failure = fail(definition.config_name, chance)
    if (failure !== null) return { ...definition, ...times, worker, status: 'failed', ...failure }
    const result_path = resultOf(header.campaign_id, definition)
    const metrics = metricsOf(milliseconds, chance)
    return { ...definition, ...times, worker, status: 'completed', result_path, metrics }
  })
  return { ...header, config_hash: '0099efaa28b0', created_at: iso(begun - MINUTE), experiments }
}

function definitionOf(config: string, cycle: number, index: number): ExperimentDraft {
  const backend = config.split('-')[0] ?? ''
  return {
    exp_id: String(index + 1).padStart(4, '0'),
    config_name: config,
    config_path: `configs/${config}.yaml`,
    config_hash: hashOf(config),
    backend,
    container: backend,
    cycle_index: cycle,
  }
}

export function resultOf(campaignId: string, { exp_id }: Pick<ExperimentDraft, 'exp_id'>): string {
  return `results/${campaignId}/${exp_id}.json`
}

/** Twelve digits in the form of a hash. */
function hashOf(text: string): string {
  let hash = 7
  for (const letter of text) hash = (hash * 31 + letter.charCodeAt(0)) % 281_474_976_710_656
  return hash.toString(16).padStart(12, '0')
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
