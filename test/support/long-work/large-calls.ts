import { once } from 'node:events'
import { get, type IncomingMessage, request } from 'node:http'
import type { WholeDraft } from '#campaignd/domain/operations/draft.js'
import { campaignDraft, experimentDraft } from '../campaigns/drafts.js'

/** How large a campaign and what is sent of it may be. */
export interface Largest {
  readonly experiments: number
  /** Bytes of a manifest. */
  readonly campaignBytes: number
}

export const AT_THE_LIMITS: Largest = { experiments: 100_000, campaignBytes: 64 * 1024 * 1024 }

/** One call at the limits, or what the service does by itself. */
export interface LargeCall {
  readonly name: string
  /** Its status; a response of another one is an error. */
  readonly status: number
  readonly method: string
  readonly path: string
  readonly body?: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

const CAMPAIGN = '/v1/campaigns/large'
const WORKER = 'gpu-node-1/vllm'
/** Of `campaignBytes`, what a campaign may have as it is created, and less. */
const SHARE = 0.79
const MAX_BATCH = 1000

/** The calls of the life of a campaign at its limits, in an order in which each does all that it can. */
export function* largeCalls(largest: Largest): Generator<LargeCall, void> {
  const draft = largeDraft(largest, 'large')
  const whole = encode(draft)
  yield creation(draft)
  yield { name: 'create again', status: 200, ...post('', whole) }
  yield { name: 'create with another definition', status: 409, ...post('', encode({ ...draft, config_hash: 'other' })) }
  yield { name: 'create, refused at its end', status: 400, ...post('', encode(withLast(draft, { exp_id: idOf(0) }))) }
  yield { name: 'create, not valid at its end', status: 400, ...post('', encode(withLast(draft, { cycle_index: -1 }))) }
  yield { name: 'create, no JSON at its end', status: 400, ...post('', whole.subarray(0, -1)) }
  yield { name: 'import of what has failed', status: 201, ...post('', encode(failedDraft(largest))) }
  yield { name: 'delete the import', status: 204, method: 'DELETE', path: '/v1/campaigns/failed' }
  const few = { ...draft, campaign_id: 'grown', experiments: draft.experiments.slice(0, 1) }
  yield { name: 'create one', status: 201, ...post('', encode(few)) }
  const rest = encode({ experiments: draft.experiments.slice(1) })
  yield { name: 'append', status: 201, ...post('/grown/experiments', rest) }
  yield { name: 'append again', status: 200, ...post('/grown/experiments', rest) }
  yield { name: 'delete the grown one', status: 204, method: 'DELETE', path: '/v1/campaigns/grown' }
  yield* reads(draft)
  const redefined = { ...draft, experiments: draft.experiments.map((one) => ({ ...one, config_hash: 'saved' })) }
  yield { name: 'save with other definitions', status: 200, ...save(redefined) }
  yield { name: 'save again', status: 200, ...save(redefined) }
  yield* writes(draft)
  yield* runs(draft)
  yield { name: 'delete', status: 204, method: 'DELETE', path: `${CAMPAIGN}?force=true` }
}

function* reads({ experiments }: WholeDraft): Generator<LargeCall, void> {
  const read = (name: string, path: string): LargeCall => ({ name, status: 200, method: 'GET', path })
  yield read('manifest', CAMPAIGN)
  yield read('export', `${CAMPAIGN}?format=llenergymeasure`)
  yield read('export in a time zone', `${CAMPAIGN}?format=llenergymeasure&timezone=America/New_York`)
  yield read('page of experiments', `${CAMPAIGN}/experiments?limit=1000`)
  yield read('page of experiments, none found', `${CAMPAIGN}/experiments?config_name=none`)
  yield read('experiments as CSV', `${CAMPAIGN}/experiments?format=csv`)
  yield read('experiments as CSV, none found', `${CAMPAIGN}/experiments?format=csv&config_name=none`)
  yield read('one experiment', `${CAMPAIGN}/experiments/${experiments.at(-1)?.exp_id}`)
  yield read('list of campaigns', '/v1/campaigns')
  yield read('progress', `${CAMPAIGN}/progress`)
  yield read('workers', `${CAMPAIGN}/workers`)
  yield read('metrics', '/metrics')
  yield read('document', '/openapi.json')
}

function* writes({ experiments }: WholeDraft): Generator<LargeCall, void> {
  const ids = experiments.map(({ exp_id }) => exp_id)
  yield { name: 'patch', status: 200, ...patch('', { campaign_name: 'renamed' }) }
  yield { name: 'report', status: 200, ...patch(`/experiments/${ids[0]}`, { status: 'running', worker: WORKER }) }
  const error = 'e'.repeat(3.9 * 1024 * 1024)
  yield { name: 'report of a long error', status: 200, ...patch(`/experiments/${ids[0]}`, { status: 'failed', error }) }
  yield { name: 'claim', status: 200, ...postJson('/claims', { worker: WORKER }) }
  yield { name: 'claim of the most', status: 200, ...postJson('/claims', { worker: WORKER, limit: 100 }) }
  const beat = { worker: WORKER, attempt: 1 }
  yield { name: 'heartbeat', status: 200, ...postJson(`/experiments/${ids[1]}/heartbeat`, beat) }
  const long = ids.slice(0, MAX_BATCH).map((exp_id) => ({ exp_id, status: 'failed', error: 'e'.repeat(15 * 1024) }))
  yield { name: 'reports with long errors', status: 200, ...patch('/experiments', { updates: long }) }
  const wrong = long.map((one) => ({ ...one, attempt: 7 }))
  yield { name: 'reports, all refused', status: 409, ...patch('/experiments?atomic=true', { updates: wrong }) }
}

function* runs(draft: WholeDraft): Generator<LargeCall, void> {
  const ids = draft.experiments.map(({ exp_id }) => exp_id)
  const read = (name: string, path: string): LargeCall => ({ name, status: 200, method: 'GET', path })
  yield* batches('start the most', ids, { status: 'running', worker: WORKER, lease_seconds: 86_400 })
  yield { name: 'complete one', status: 200, ...patch(`/experiments/${ids[0]}`, { status: 'completed' }) }
  yield read('workers of all', `${CAMPAIGN}/workers`)
  yield read('progress of all', `${CAMPAIGN}/progress`)
  yield read('page of those that run', `${CAMPAIGN}/experiments?status=running&worker=none`)
  yield* batches('fail the most', ids.slice(1), { status: 'failed' })
  const changed = {
    config_hash: draft.config_hash,
    experiments: ids.map((exp_id) => ({ exp_id, config_hash: 'another' })),
  }
  yield { name: 'resume, refused', status: 409, ...postJson('/resume', changed) }
  yield { name: 'resume, tried', status: 200, ...postJson('/resume', { ...changed, dry_run: true }) }
  yield { name: 'resume', status: 200, ...postJson('/resume', { ...changed, on_config_change: 'accept' }) }
  yield { name: 'resume again', status: 200, ...postJson('/resume', {}) }
  yield* batches('complete the most', ids, { status: 'completed' })
  yield { name: 'save, refused for what it would lose', status: 409, ...save(draft) }
  const again = { status: 'completed', include_completed: true }
  yield { name: 'retry, tried', status: 200, ...postJson('/retry', { ...again, dry_run: true }) }
  yield { name: 'retry of those named', status: 200, ...postJson('/retry', { ...again, exp_ids: ids }) }
  yield* batches('skip the most', ids, { status: 'skipped' })
  yield { name: 'retry of all', status: 200, ...postJson('/retry', { status: 'skipped' }) }
}

function* batches(name: string, ids: readonly string[], report: object): Generator<LargeCall, void> {
  for (let first = 0; first < ids.length; first += MAX_BATCH) {
    const updates = ids.slice(first, first + MAX_BATCH).map((exp_id) => ({ exp_id, ...report }))
    yield { name, status: 200, ...patch('/experiments', { updates }) }
  }
}

export function creation(draft: WholeDraft): LargeCall {
  return { name: 'create', status: 201, ...post('', encode(draft)) }
}

/** Gives every experiment of the campaign a lease of so many seconds. */
export function* leases(draft: WholeDraft, lease_seconds: number): Generator<LargeCall, void> {
  const ids = draft.experiments.map(({ exp_id }) => exp_id)
  yield* batches('start under a lease', ids, { status: 'running', worker: WORKER, lease_seconds })
}

/** A campaign that takes nearly all that is allowed. */
export function largeDraft({ experiments, campaignBytes }: Largest, campaign_id: string): WholeDraft {
  const bytes = Math.floor((campaignBytes * SHARE) / experiments)
  const padding = 'x'.repeat(Math.max(0, bytes - 420))
  const drafts = Array.from({ length: experiments }, (_, index) => {
    const name = `config-${index % 1000}`
    const config_path = `configs/${name}${padding}.yaml`
    const backend = index % 2 === 0 ? 'vllm' : 'pytorch'
    return experimentDraft(idOf(index), {
      config_name: name,
      config_path,
      backend,
      cycle_index: Math.floor(index / 1000),
    })
  })
  return campaignDraft(0, { campaign_id, experiments: drafts })
}

/** An import with statuses and errors, in a body of nearly the length that is allowed: errors have to be cut. */
function failedDraft(largest: Largest): WholeDraft {
  const draft = largeDraft({ ...largest, campaignBytes: largest.campaignBytes * 0.8 }, 'failed')
  const error = 'Exit code 137 '.repeat(200).slice(0, (largest.campaignBytes * 0.7) / largest.experiments)
  const times = { started_at: '2026-02-03T21:04:17.319159', completed_at: '2026-02-03T21:09:17.319159' }
  const failed = { status: 'failed', error, retry_count: 2, ...times } as const
  return { ...draft, experiments: draft.experiments.map((one) => ({ ...one, ...failed })) }
}

function withLast(draft: WholeDraft, last: Partial<WholeDraft['experiments'][number]>): WholeDraft {
  const { experiments } = draft
  return {
    ...draft,
    campaign_id: 'other',
    experiments: experiments.with(-1, { ...experimentDraft(idOf(experiments.length - 1)), ...last }),
  }
}

function idOf(index: number): string {
  return String(index + 1).padStart(6, '0')
}

function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function post(path: string, body: Buffer) {
  return { method: 'POST', path: `/v1/campaigns${path}`, body }
}

function postJson(path: string, value: unknown) {
  return post(`/large${path}`, encode(value))
}

function save(draft: WholeDraft) {
  return { method: 'PUT', path: CAMPAIGN, body: encode(draft), headers: { 'if-match': '*' } }
}

function patch(path: string, value: unknown) {
  return { ...postJson(path, value), method: 'PATCH' }
}

/** Makes the call; of the response nothing is kept. @throws Error when it has another status */
export async function make(url: string, { name, status, method, path, body, headers = {} }: LargeCall): Promise<void> {
  const ofBody = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }
  const call = request(url + path, { method, headers: { ...ofBody, ...headers } })
  const responded = once(call, 'response')
  call.on('error', () => undefined).end(body)
  const [response] = (await responded) as [IncomingMessage]
  let begin = ''
  for await (const piece of response) if (begin === '') begin = String(piece as Buffer).slice(0, 300)
  if (response.statusCode !== status) throw new Error(`${name} was answered ${response.statusCode} ${begin}`)
}

/** Opens a stream of events and reads it. @returns closes it */
export function readStream(url: string, lastEventId?: string): () => void {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const stream = get(`${url}${CAMPAIGN}/events`, { headers, agent: false }, (response) => response.resume())
  stream.on('error', () => undefined)
  return () => stream.destroy()
}
