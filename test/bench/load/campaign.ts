import type { WholeDraft } from '#campaignd/domain/operations/draft.js'
import { campaignDraft, experimentDraft } from '../../support/campaigns/drafts.js'
import { send } from '../../support/http/client.js'

/** Few, as campaigns have: their progress counts each. */
const CYCLES = 5
const BATCH = 1000

export const WORKER = 'gpu-node-1/vllm'

/** An update that always changes something and adds nothing to the manifest. */
export const UPDATE = JSON.stringify({ result_path: 'results/[<id>].json' })
const RESULT_PATH = `results/${'0'.repeat(16)}.json`

/** A campaign to put a load on. */
export interface BenchCampaign {
  /** Its own, and those of its experiments. */
  readonly path: string
  readonly paths: readonly string[]
}

export interface Preparation {
  readonly campaignId?: string
  /** Of how many experiments one runs. Default: 1, all of them */
  readonly oneIn?: number
  /** Of each that runs. Default: none */
  readonly leaseSeconds?: number
}

export function draftOf(n: number, campaign_id = 'sweep'): WholeDraft {
  const experiments = Array.from({ length: n }, (_, index) =>
    experimentDraft(String(index + 1).padStart(4, '0'), { cycle_index: index % CYCLES }),
  )
  return campaignDraft(0, { campaign_id, experiments })
}

/** Creates a campaign whose experiments run and have reported a first result. */
export async function createRunning(
  url: string,
  n: number,
  { campaignId = 'sweep', oneIn = 1, leaseSeconds }: Preparation = {},
): Promise<BenchCampaign> {
  const draft = draftOf(n, campaignId)
  const ids = draft.experiments.map(({ exp_id }) => exp_id)
  const path = `/v1/campaigns/${campaignId}`
  await call('POST', `${url}/v1/campaigns`, draft)
  const lease = leaseSeconds === undefined ? {} : { lease_seconds: leaseSeconds }
  const started = ids.filter((_, index) => index % oneIn === 0)
  for (let first = 0; first < started.length; first += BATCH) {
    const batch = started.slice(first, first + BATCH)
    const report = { status: 'running', worker: WORKER, result_path: RESULT_PATH, ...lease }
    const updates = batch.map((exp_id) => ({ exp_id, ...report }))
    await call('PATCH', `${url}${path}/experiments`, { updates })
  }
  return { path, paths: ids.map((id) => `${path}/experiments/${id}`) }
}

/**
 * Creates as many campaigns, and tells the paths of their experiments: those of one campaign after the other by turns, so that
 * all of them are written at the same time.
 */
export async function createManyRunning(
  url: string,
  campaigns: number,
  n: number,
  preparation: Preparation = {},
): Promise<readonly string[]> {
  const created: (readonly string[])[] = []
  for (let index = 0; index < campaigns; index += 1) {
    const { paths } = await createRunning(url, n, { ...preparation, campaignId: `sweep-${index}` })
    created.push(paths)
  }
  return Array.from({ length: n }, (_, index) => created.map((paths) => paths[index] ?? '')).flat()
}

/** A call that has to go well, as preparation for a measurement or to check one. */
export async function call<T = unknown>(method: string, url: string, body?: unknown): Promise<T> {
  const reply = await send(method, url, body)
  if (reply.status >= 300) throw new Error(`${method} ${url}: ${reply.status} ${reply.text}`)
  return (reply.status === 204 ? undefined : reply.json<T & object>()) as T
}
