import { type Static, Type } from '@sinclair/typebox'
import type { Campaign } from '../campaign/campaign.ts'
import { slug } from '../campaign/campaign-id.ts'
import { MAX_EXPERIMENTS } from '../campaign/campaign-size.ts'
import { isComplete } from '../campaign/campaign-state.ts'
import { CampaignName, ConfigHash } from '../campaign/manifest.ts'
import { definitionProperties, type Experiment, ResultPath, TimeInput } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { FreeText, Nullable, ref, SafeInteger, StrictObject, StringEnum, Text } from '../schema.ts'
import { toolPieces } from './tool-pieces.ts'

/** The version of the format that is read and written. */
const VERSION = '2.0'

const count = (what: string) => SafeInteger(0, { description: what })

export const StudyExperiment = StrictObject(
  {
    config_hash: definitionProperties.config_hash,
    config_summary: Text('Backend, model and precision, separated by " / "', 'vllm / llama-3.1-8b / bf16'),
    cycle: SafeInteger(1, { description: 'Which repetition of the config this is, from 1' }),
    status: StringEnum(['pending', 'running', 'completed', 'failed', 'skipped'], { description: 'Its status' }),
    result_file: Nullable(ResultPath),
    error_type: Nullable(FreeText(), { description: 'Kind of what went wrong, such as RuntimeError' }),
    error_message: Nullable(FreeText(), { description: 'What went wrong' }),
    started_at: Nullable(TimeInput, { description: 'When it was started' }),
    completed_at: Nullable(TimeInput, { description: 'When it ended' }),
  },
  { $id: 'StudyExperiment', description: 'An experiment of a StudyManifest' },
)

export const StudyManifest = StrictObject(
  {
    schema_version: StringEnum([VERSION], { description: 'Tells the format from others' }),
    study_name: CampaignName,
    study_design_hash: ConfigHash,
    llenergymeasure_version: Nullable(Text('Version of the tool', '0.8.0')),
    started_at: Nullable(TimeInput, { description: 'When the study began' }),
    completed_at: Nullable(TimeInput, { description: 'When it ended' }),
    status: Text('How the study stands', 'interrupted'),
    total_experiments: count('Number of experiments'),
    completed: count('How many are completed'),
    failed: count('How many failed'),
    pending: count('How many are neither'),
    experiments: Type.Array(ref(StudyExperiment), {
      maxItems: MAX_EXPERIMENTS,
      description: 'In the order of the study',
    }),
  },
  { $id: 'StudyManifest', description: 'A study as newer versions of the Python tool llenergymeasure write it' },
)

export type StudyManifest = Static<typeof StudyManifest>
type StudyExperiment = Static<typeof StudyExperiment>

/** Whether a body means to be one, in whatever version. */
export function isStudy(body: unknown): body is { readonly schema_version: unknown } {
  return typeof body === 'object' && body !== null && 'schema_version' in body
}

/** The draft of a campaign that a study makes. What has no place in a campaign stands in `source`. */
export function* studyDraft(study: StudyManifest): LongWork<object> {
  const experiments: object[] = []
  for (const [index, experiment] of study.experiments.entries()) {
    experiments.push(experimentDraft(experiment))
    if (isBreak(index)) yield
  }
  const { study_name, study_design_hash, total_experiments, started_at } = study
  const { schema_version, llenergymeasure_version, completed_at, status } = study
  return {
    campaign_id: `${slug(study_name)}-${plain(study_design_hash)}`,
    campaign_name: study_name,
    config_hash: study_design_hash,
    ...(started_at === null ? {} : { created_at: started_at }),
    total_experiments,
    source: {
      format: 'llenergymeasure-study',
      schema_version,
      llenergymeasure_version,
      started_at,
      completed_at,
      status,
    },
    experiments,
  }
}

/** The end of a campaign_id: the first eight characters of a hash that such an id may have. */
function plain(hash: string): string {
  return (
    hash
      .toLowerCase()
      .replace(/[^a-z0-9]/g, '')
      .slice(0, 8) || 'study'
  )
}

function experimentDraft({ config_hash, config_summary, cycle, status, ...one }: StudyExperiment): object {
  const backend = config_summary.split(' / ')[0] ?? config_summary
  const { error_type, error_message } = one
  return {
    exp_id: `${config_hash}-c${cycle}`,
    config_name: config_summary,
    config_path: config_summary,
    config_hash,
    backend,
    container: backend,
    cycle_index: cycle - 1,
    status,
    result_path: one.result_file,
    started_at: one.started_at,
    completed_at: one.completed_at,
    error: error_type === null ? error_message : `${error_type}: ${error_message ?? ''}`,
  }
}

/** The campaign as the tool writes a study. One that was imported and not changed has its keys and values. */
export function studyPieces(campaign: Campaign): Generator<string, void> {
  const { header, counts, experiments } = campaign
  const source: Partial<Record<string, unknown>> = header.source ?? {}
  const { completed, failed } = counts.by_status
  const isOver = isComplete(campaign)
  const study = {
    schema_version: VERSION,
    study_name: header.campaign_name,
    study_design_hash: header.config_hash,
    llenergymeasure_version: source['llenergymeasure_version'] ?? null,
    started_at: source['started_at'] ?? experiments.summary.earliest_start,
    completed_at: isOver ? (source['completed_at'] ?? header.updated_at) : null,
    status: isOver ? 'completed' : (source['status'] ?? 'interrupted'),
    total_experiments: header.total_experiments,
    completed,
    failed,
    pending: header.total_experiments - completed - failed,
  }
  return toolPieces(study, experiments, studyExperiment)
}

function studyExperiment({ error, cycle_index, ...experiment }: Experiment): StudyExperiment {
  const [error_type, error_message] = splitError(error)
  return {
    config_hash: experiment.config_hash,
    config_summary: experiment.config_name,
    cycle: cycle_index + 1,
    status: experiment.status,
    result_file: experiment.result_path,
    error_type,
    error_message,
    started_at: experiment.started_at,
    completed_at: experiment.completed_at,
  }
}

/** The name of a Python exception before the first colon is the type. */
function splitError(error: string | null): readonly [type: string | null, message: string | null] {
  const [, type, message] = /^([A-Z][A-Za-z0-9_.]*): ([^]*)$/.exec(error ?? '') ?? []
  return type === undefined || message === undefined ? [null, error] : [type, message]
}
