import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Campaign } from '../campaign/campaign.ts'
import { slug } from '../campaign/campaign-id.ts'
import { MAX_EXPERIMENTS } from '../campaign/campaign-size.ts'
import { isComplete } from '../campaign/campaign-state.ts'
import { CampaignName, ConfigHash } from '../campaign/manifest.ts'
import { invalid, jsonPointer } from '../errors.ts'
import { keepTail, MAX_ERROR_BYTES, NOTE_BYTES } from '../experiment/error-text.ts'
import { definitionProperties, type Experiment, ResultPath, TimeInput } from '../experiment/experiment.ts'
import { isBreak, type LongWork } from '../long-work.ts'
import { FreeText, Name, Nullable, ref, SafeInteger, StrictObject, StringEnum, Text } from '../schema.ts'
import { compareTimes, readTime, TIME_INPUT } from '../timestamp.ts'
import { toolPieces } from './tool-pieces.ts'

/** The version of the format that is read and written. */
const VERSION = '2.0'

const count = (what: string) => SafeInteger(0, { description: what })
/** What goes into `source`, where there is little room. */
const short = (what: string, example: string) => Name({ maxLength: 256, description: what, examples: [example] })

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
    llenergymeasure_version: Nullable(short('Version of the tool', '0.8.0')),
    started_at: Nullable(TimeInput, { description: 'When the study began' }),
    completed_at: Nullable(TimeInput, { description: 'When it ended' }),
    status: short('How the study stands', 'interrupted'),
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

/** What a study says that has no place in a campaign: as it stands in `source`. */
const StudySource = Type.Object({
  format: Type.Literal('llenergymeasure-study'),
  schema_version: Type.Literal(VERSION),
  llenergymeasure_version: Type.Union([Type.String(), Type.Null()]),
  started_at: Type.Union([Type.String({ pattern: TIME_INPUT }), Type.Null()]),
  completed_at: Type.Union([Type.String({ pattern: TIME_INPUT }), Type.Null()]),
  status: Type.String(),
  /** How many stood so then; not in what was imported before they were kept. */
  completed: Type.Optional(Type.Number()),
  failed: Type.Optional(Type.Number()),
})

type StudySource = Static<typeof StudySource>

/**
 * The draft of a campaign that a study makes.
 * @param timezone IANA name, for times without an offset
 * @throws DomainError `invalid` at an experiment that is there twice, and at a time of the study that does not exist
 */
export function* studyDraft(study: StudyManifest, timezone: string): LongWork<object> {
  const experiments: object[] = []
  const ids = new Map<string, number>()
  for (const [index, experiment] of study.experiments.entries()) {
    const draft = experimentDraft(experiment)
    const other = ids.get(draft.exp_id)
    if (other !== undefined) {
      const detail = `is ${experiment.cycle}, as in experiment ${other} with the same config_hash`
      throw invalid({ pointer: jsonPointer('experiments', index, 'cycle'), detail })
    }
    ids.set(draft.exp_id, index)
    experiments.push(draft)
    if (isBreak(index)) yield
  }
  const source = studySource(study, timezone)
  const { study_name, study_design_hash, total_experiments } = study
  return {
    campaign_id: `${slug(study_name)}-${plain(study_design_hash)}`,
    campaign_name: study_name,
    config_hash: study_design_hash,
    ...(source.started_at === null ? {} : { created_at: source.started_at }),
    total_experiments,
    source,
    experiments,
  }
}

function studySource(study: StudyManifest, timezone: string): StudySource {
  const { schema_version, llenergymeasure_version, status, completed, failed } = study
  const read = (field: 'started_at' | 'completed_at', notBefore: string | null) => {
    const text = study[field]
    return text === null ? null : readTime(text, timezone, jsonPointer(field), notBefore)
  }
  const started_at = read('started_at', null)
  const completed_at = read('completed_at', started_at)
  const format = 'llenergymeasure-study'
  return { format, schema_version, llenergymeasure_version, started_at, completed_at, status, completed, failed }
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

function experimentDraft({ config_hash, config_summary, cycle, status, ...one }: StudyExperiment) {
  const backend = config_summary.split(' / ')[0] ?? config_summary
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
    error: joinError(one.error_type, one.error_message),
  }
}

/** The campaign as the tool writes a study. One that was imported and stands as it did has its keys and values, with times in UTC. */
export function studyPieces(campaign: Campaign): Generator<string, void> {
  const { header, counts, experiments } = campaign
  const source = Value.Check(StudySource, header.source) ? header.source : null
  const { completed, failed } = counts.by_status
  const isUntouched = source?.completed === completed && source.failed === failed
  const { started_at, completed_at, status } = isUntouched ? source : standing(campaign)
  const study = {
    schema_version: VERSION,
    study_name: header.campaign_name,
    study_design_hash: header.config_hash,
    llenergymeasure_version: source?.llenergymeasure_version ?? null,
    started_at,
    completed_at,
    status,
    total_experiments: header.total_experiments,
    completed,
    failed,
    pending: header.total_experiments - completed - failed,
  }
  return toolPieces(study, experiments, studyExperiment)
}

/** How a study stands that goes on here. */
function standing(campaign: Campaign): Pick<StudyManifest, 'started_at' | 'completed_at' | 'status'> {
  const { counts, experiments } = campaign
  const started_at = experiments.summary.earliest_start
  if (isComplete(campaign)) return { started_at, completed_at: latestEnd(experiments), status: 'completed' }
  return { started_at, completed_at: null, status: counts.by_status.running > 0 ? 'running' : 'interrupted' }
}

function latestEnd(experiments: Iterable<Experiment>): string | null {
  let latest: string | null = null
  for (const { completed_at } of experiments) {
    if (completed_at !== null && (latest === null || compareTimes(completed_at, latest) > 0)) latest = completed_at
  }
  return latest
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

/** A message that is too long is cut by itself, so that its type stays. */
function joinError(type: string | null, message: string | null): string | null {
  if (type === null) return message
  const head = `${type}:`
  return message === null
    ? head
    : `${head} ${keepTail(message, Math.max(MAX_ERROR_BYTES - Buffer.byteLength(head) - 1, NOTE_BYTES))}`
}

/** What stands before the first colon is the type, if it may be the name of a Python exception. */
function splitError(error: string | null): readonly [type: string | null, message: string | null] {
  const [whole, type, message = null] = /^([\w.]*):(?: ([^]*))?$/.exec(error ?? '') ?? []
  return whole === undefined || type === undefined ? [null, error] : [type, message]
}
