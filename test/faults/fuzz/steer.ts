import fc from 'fast-check'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { DEFINITION_KEYS, type Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { ExperimentStatus } from '#campaignd/domain/experiment/status.js'
import { chance, type Draw } from '../seed.js'
import type { FuzzRequest } from './fuzz-request.js'

/** What is known when a request is made up. */
export interface Known {
  /** The campaign that it is about, as its file has it. */
  readonly manifest: CampaignManifest
  readonly freshName: () => string
  /** Tokens that pages of the operation ended with. */
  readonly pageTokens: readonly string[]
}

type Fields = Readonly<Record<string, unknown>>

type Steer = (draw: Draw, request: FuzzRequest, known: Known) => FuzzRequest

/** Statuses that an experiment in each one may be reported in. */
const NEXT: Readonly<Record<ExperimentStatus, readonly ExperimentStatus[]>> = {
  pending: ['pending', 'running', 'running', 'completed', 'failed', 'skipped'],
  running: ['pending', 'running', 'completed', 'failed', 'skipped'],
  completed: ['completed'],
  failed: ['running', 'pending', 'failed', 'skipped'],
  skipped: ['pending', 'skipped'],
}

/** Fields of a report that mean something in each status, beside the worker. */
const FIELDS: Readonly<Record<ExperimentStatus, readonly string[]>> = {
  pending: [],
  running: ['result_path', 'error', 'started_at', 'lease_seconds'],
  completed: ['result_path', 'metrics', 'error', 'started_at', 'completed_at'],
  failed: ['result_path', 'error', 'failure_kind', 'started_at', 'completed_at'],
  skipped: ['result_path', 'error', 'completed_at'],
}

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu']

/** What the schema cannot say: fits the request to what there is, so that it is answered with a 2xx more often than not. */
export function steered(draw: Draw, request: FuzzRequest, known: Known): FuzzRequest {
  const { manifest } = known
  const experiment = chosen(draw, request, known)
  const toThere: FuzzRequest = {
    ...request,
    path: {
      ...request.path,
      ...('campaign_id' in request.path ? { campaign_id: manifest.campaign_id } : {}),
      ...('exp_id' in request.path && experiment !== undefined ? { exp_id: experiment.exp_id } : {}),
    },
    query: steeredQuery(draw, request.query, known),
    headers: steeredHeaders(draw, request, known, experiment),
  }
  return STEERS[request.operation.operationId]?.(draw, toThere, known) ?? toThere
}

const createCampaign: Steer = (draw, request, { freshName }) => {
  if ('schema_version' in (request.body as Fields)) return steeredStudy(request, freshName)
  const { total_experiments: _total, experiments, matrix, ...body } = request.body as Fields
  const { campaign_id, on_exists, ...query } = request.query
  const named = on_exists !== undefined || chance(draw, 80) ? { campaign_id: freshName() } : {}
  // One of both, and not both.
  const hasMatrix = matrix !== undefined && (experiments === undefined || chance(draw, 50))
  return {
    ...request,
    query: {
      ...query,
      ...(campaign_id === undefined ? {} : { campaign_id: freshName() }),
      ...(on_exists === undefined ? {} : { on_exists }),
    },
    body: { ...body, ...named, ...(hasMatrix ? { matrix } : { experiments: drafts(experiments ?? [], freshName) }) },
  }
}

const STEERS: Readonly<Record<string, Steer>> = {
  createCampaign,
  saveCampaign: (draw, request, known) => {
    const { manifest, freshName } = known
    const made = createCampaign(draw, request, known)
    const body = without(made.body as Fields, 'campaign_id')
    const { 'if-match': match = '*', ...headers } = request.headers
    if (chance(draw, 50)) return { ...made, headers, path: { campaign_id: freshName() }, body }
    const experiments = manifest.experiments.map((one) => (chance(draw, 50) ? one : savedOver(one)))
    const over = { ...manifest, campaign_name: freshName(), experiments }
    return { ...made, headers: { ...headers, 'if-match': match }, query: { ...made.query, force: true }, body: over }
  },
  patchWorker: (draw, request, { manifest }) => {
    const names = manifest.experiments.flatMap(({ worker }) => (worker === null ? [] : [worker]))
    return names.length === 0
      ? request
      : { ...request, path: { ...request.path, worker: draw(fc.constantFrom(...names)) } }
  },
  appendExperiments: (_draw, request, { freshName }) => ({
    ...request,
    body: { experiments: drafts((request.body as Fields)['experiments'], freshName) },
  }),
  patchCampaign: (_draw, request, { manifest, freshName }) => {
    const { settings, ...body } = request.body as Fields
    const { paused = manifest.settings.paused } = (settings ?? {}) as Fields
    const { cancel_running, ...query } = request.query
    const stop = cancel_running === undefined ? {} : { cancel_running: cancel_running === true && paused === true }
    const name = { campaign_name: body['campaign_name'] ?? freshName() }
    return {
      ...request,
      query: { ...query, ...stop },
      body: { ...body, ...name, settings: { ...(settings ?? {}), paused } },
    }
  },
  deleteCampaign: (_draw, request) => ({ ...request, query: { force: true } }),
  listCampaigns: (draw, request) => {
    const { label, ...query } = request.query
    const labels = chance(draw, 20) ? { label: 'team:inference' } : {}
    return { ...request, query: label === undefined ? query : { ...query, ...labels } }
  },
  reportExperiment: (draw, request, { manifest }) => {
    const experiment = manifest.experiments.find(({ exp_id }) => exp_id === request.path['exp_id'])
    return { ...request, body: experiment === undefined ? request.body : reportOn(draw, request.body, experiment) }
  },
  reportExperiments: (draw, request, { manifest }) => {
    const updates = ((request.body as Fields)['updates'] as readonly unknown[]).map((update) => {
      const experiment = oneOf(draw, manifest.experiments)
      if (experiment === undefined) return update
      return { ...reportOn(draw, update, experiment), exp_id: experiment.exp_id }
    })
    return { ...request, body: { updates } }
  },
  claimExperiments: (draw, request, { manifest }) => {
    const { backend, container, ...body } = request.body as Fields
    const there = oneOf(draw, manifest.experiments)?.backend
    const filter = backend !== undefined && container === undefined && there !== undefined ? { backend: there } : {}
    return { ...request, body: { ...body, ...filter } }
  },
  sendHeartbeat: (draw, request, { manifest }) => {
    const [leased] = leasedIn(manifest)
    if (leased === undefined) return request
    const worker = leased.worker === null || chance(draw, 30) ? {} : { worker: leased.worker }
    const { run_id: _run, attempt: _attempt, worker: _worker, ...news } = request.body as Fields
    return {
      ...request,
      path: { ...request.path, exp_id: leased.exp_id },
      body: { ...news, attempt: leased.attempt, ...worker },
    }
  },
  retryExperiments: (draw, request, { manifest }) => {
    if (request.body === undefined) return request
    const { exp_ids, ...body } = request.body as Fields
    const some = exp_ids === undefined ? {} : { exp_ids: manifest.experiments.map(({ exp_id }) => exp_id) }
    const all = body['status'] === 'completed' || chance(draw, 20) ? { include_completed: true } : {}
    return { ...request, body: { ...body, ...some, ...all } }
  },
  resumeCampaign: (draw, request, { manifest }) => {
    if (request.body === undefined) return request
    const { experiments, ...body } = request.body as Fields
    const given =
      experiments === undefined
        ? {}
        : { experiments: manifest.experiments.map(({ exp_id, config_hash }) => ({ exp_id, config_hash })) }
    const same = chance(draw, 70) ? { config_hash: manifest.config_hash } : {}
    return { ...request, body: { ...body, ...given, ...same } }
  },
}

/** The experiment with what the Python tool knows of it, as it is completed. */
function savedOver(experiment: Experiment): Fields {
  const definition = DEFINITION_KEYS.map((key) => [key, experiment[key]])
  return { ...Object.fromEntries(definition), status: 'completed', retry_count: experiment.retry_count + 1 } as Fields
}

/** The experiments that a worker keeps alive by heartbeats. */
export function leasedIn({ experiments }: CampaignManifest): Experiment[] {
  return experiments.filter(({ status, lease }) => status === 'running' && lease !== null)
}

function chosen(draw: Draw, { operation }: FuzzRequest, { manifest }: Known): Experiment | undefined {
  const movable = manifest.experiments.filter(({ status }) => status !== 'completed' && status !== 'skipped')
  const isWrite = operation.method !== 'GET'
  return oneOf(draw, isWrite && movable.length > 0 ? movable : manifest.experiments)
}

/** Undefined in a campaign that has none. */
function oneOf(draw: Draw, experiments: readonly Experiment[]): Experiment | undefined {
  return experiments.length === 0 ? undefined : draw(fc.constantFrom(...experiments))
}

function steeredQuery(draw: Draw, query: Fields, { pageTokens }: Known): Fields {
  const { page_token, timezone, ...others } = query
  return {
    ...others,
    ...(timezone === undefined ? {} : { timezone: draw(fc.constantFrom(...ZONES)) }),
    // A token goes on with the order that its page was in.
    ...(page_token === undefined || pageTokens.length === 0 || 'sort' in others
      ? {}
      : { page_token: draw(fc.constantFrom(...pageTokens)) }),
  }
}

function steeredHeaders(
  draw: Draw,
  { operation, headers }: FuzzRequest,
  { manifest }: Known,
  experiment: Experiment | undefined,
): Record<string, string> {
  const { 'if-match': match, 'if-none-match': noneMatch, ...others } = headers
  const { revision } = (operation.template.endsWith('/experiments/{exp_id}') ? experiment : undefined) ?? manifest
  const tag = `"${manifest.uid}-${revision}"`
  return {
    ...others,
    ...(match === undefined ? {} : { 'if-match': draw(fc.constantFrom(tag, '*', `"none", ${tag}`)) }),
    ...(noneMatch === undefined ? {} : { 'if-none-match': chance(draw, 20) ? tag : noneMatch }),
  }
}

/** A study whose experiments are each another one, and as many as it says. */
function steeredStudy(request: FuzzRequest, freshName: () => string): FuzzRequest {
  const { experiments, ...study } = request.body as Fields
  const named = (experiments as readonly Fields[]).map((one) => ({ ...one, config_hash: freshName() }))
  const { campaign_id: _id, on_exists: _merge, ...query } = request.query
  const body = { ...study, study_name: freshName(), total_experiments: named.length, experiments: named }
  return { ...request, query, body }
}

function without(fields: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

/** Experiments of names of their own, in statuses that an import may have them in. */
function drafts(given: unknown, freshName: () => string): Fields[] {
  return (given as readonly Fields[]).map(({ failure_kind, ...draft }) => ({
    ...without(draft, 'attempt', 'retry_count', 'attempts'),
    ...(draft['status'] === 'failed' && failure_kind !== undefined ? { failure_kind } : {}),
    exp_id: freshName(),
  }))
}

function reportOn(draw: Draw, given: unknown, { status, attempt, worker }: Experiment): Fields {
  const next = draw(fc.constantFrom(...NEXT[status]))
  const fields = Object.entries(given as Fields).filter(([name]) => FIELDS[next].includes(name))
  const named = (given as Fields)['worker'] as string | undefined
  const signature = status === 'running' ? (worker ?? undefined) : named
  return {
    status: next,
    ...Object.fromEntries(fields),
    ...(signature === undefined ? {} : { worker: signature }),
    ...(status === 'running' ? { attempt } : {}),
  }
}
