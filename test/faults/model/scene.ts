import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import { readManifest } from '../../support/store/files.js'
import type { Condition } from './arguments/condition.js'
import type { Body } from './campaign/attempt-book.js'
import type { Decided, PlainCampaign } from './campaign/campaign-model.js'
import { requireKeyOrder } from './campaign/key-order.js'
import { progressOf, stateOf } from './campaign/progress-model.js'
import { Refused } from './campaign/refused.js'
import { resourceOf } from './campaign/tag-book.js'
import { difference, withoutProse, withoutTimes } from './difference.js'
import type { Call, Reply, Service } from './service.js'
import type { World } from './world.js'

export interface Expected {
  readonly status: number
  /** Left out: there is none. */
  readonly body?: unknown
  readonly tagOf?: { readonly campaign: string; readonly experiment?: string | undefined }
}

/** How often each outcome was met, such as `report 409 stale-attempt`. */
export type Met = Map<string, number>

export interface Write {
  readonly campaign: string
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  /** What follows the path of the campaign. */
  readonly path?: string
  readonly body?: object
  readonly ifMatch: Condition
  /** The experiment that is the resource of the path; the campaign is it otherwise. */
  readonly experiment?: string
  readonly isTagged?: boolean
  /** Makes the call a wrong one in any state; its members are put into the body. */
  readonly flaw?: object | undefined
}

/** The model and the service side by side: makes calls, and holds the answers and what is left against the model. */
export class Scene {
  constructor(
    readonly world: World,
    readonly service: Service,
    private readonly command: string,
    private readonly met: Met,
  ) {}

  /** Makes a call, and counts its outcome as one of the command. @throws Error when the answer is another one */
  async ask(call: Call, expected: Expected): Promise<Reply> {
    const code = (expected.body as { readonly code?: string } | undefined)?.code
    this.world.diary.push(`${this.world.now} ${shown(call)}`)
    this.count(code === undefined ? String(expected.status) : `${expected.status} ${code}`)
    return this.check(call, expected)
  }

  /** Makes a call that the model decides: when it changes the campaign, by one revision. Then checks what is left. */
  async write(write: Write, decide: (campaign: PlainCampaign) => Decided): Promise<void> {
    const { campaign: id, method, path = '', body, flaw, experiment } = write
    const match = write.ifMatch(this.world, id, experiment)
    const before = this.world.campaigns.get(id)
    const expected = this.expectedOf(write, match.holds, decide)
    const headers = match.header === undefined ? {} : { headers: { 'if-match': match.header } }
    const sent = body === undefined ? {} : { body: { ...body, ...flaw } }
    await this.ask({ method, path: `${pathOf(id)}${path}`, ...sent, ...headers }, expected)
    await (this.world.campaigns.get(id) === before ? this.checkCampaign(id) : this.checkAll(id))
  }

  /** The campaign as a whole, and what the list says of all of the run. */
  async checkAll(id: string): Promise<void> {
    await this.checkCampaign(id)
    const query = new URLSearchParams({
      name: this.world.prefix,
      sort: 'campaign_name',
      archived: 'any',
      limit: '1000',
    })
    const campaigns = [...this.world.campaigns.values()].sort(byName).map(summaryOf)
    const call = { method: 'GET', path: `/v1/campaigns?${query.toString()}` } as const
    await this.check(call, { status: 200, body: { campaigns, next_page_token: null } })
  }

  /** The campaign as a whole, as it is served and as it is stored; returns its text. */
  async checkCampaign(id: string): Promise<string> {
    const campaign = this.world.campaigns.get(id)
    const call = { method: 'GET', path: pathOf(id) } as const
    if (campaign === undefined) {
      await this.check(call, problem(NOT_FOUND))
      return ''
    }
    const { text } = await this.check(call, { status: 200, body: manifestOf(campaign), tagOf: { campaign: id } })
    if (readManifest(this.service.dataDir, id) !== text) throw new Error(`the file of ${id} is not what is served`)
    requireKeyOrder(text)
    return text
  }

  count(outcome: string): void {
    const key = `${this.command} ${outcome}`
    this.met.set(key, (this.met.get(key) ?? 0) + 1)
  }

  private async check(call: Call, expected: Expected): Promise<Reply> {
    const reply = await this.service.call(call)
    this.record(call, reply)
    const found = { status: reply.status, body: reply.text === '' ? undefined : this.plain(call, reply) }
    const wanted = { status: expected.status, body: expected.body }
    const wrong = this.service.isTimed
      ? difference(wanted, found)
      : difference(withoutTimes(wanted), withoutTimes(found))
    if (wrong !== null) throw new Error(`${shown(call)}: ${wrong}`)
    if (expected.tagOf !== undefined) {
      const { campaign, experiment } = expected.tagOf
      const version = this.world.versionOf(campaign, experiment)
      this.world.tags.learn(resourceOf(campaign, experiment), version, reply.headers['etag'])
    }
    return reply
  }

  /** Only what was done: a refusal of all may show what would have been. */
  private record({ method, path }: Call, { status, text }: Reply): void {
    if (status >= 300 || text === '') return
    const body = JSON.parse(text) as Body
    const id = body.campaign_id ?? idIn(path)
    this.world.attempts.read(this.world.lifeOf(id), body, method === 'PATCH' && path.includes('/experiments'))
  }

  private expectedOf(write: Write, matches: boolean, decide: (campaign: PlainCampaign) => Decided): Expected {
    const campaign = this.world.campaigns.get(write.campaign)
    const isThere =
      write.experiment === undefined || campaign?.experiments.some((one) => one.exp_id === write.experiment)
    try {
      if (write.flaw !== undefined) throw new Refused(400, 'invalid')
      if (campaign === undefined) throw NOT_FOUND
      if (isThere === true && !matches) throw new Refused(412, 'precondition-failed')
      const { campaign: after, ...answer } = decide(campaign)
      if (after === null) this.world.campaigns.delete(write.campaign)
      else this.world.keep(after)
      return write.isTagged === true ? { ...answer, tagOf: write } : answer
    } catch (error) {
      if (error instanceof Refused) return problem(error)
      throw error
    }
  }

  /** The body as the model would say it; what is opaque in it is recognised. */
  private plain({ path }: Call, { text }: Reply): unknown {
    const body = this.withoutRuns(idIn(path), JSON.parse(text) as Record<string, unknown>)
    if (typeof body['next_page_token'] === 'string') body['next_page_token'] = TOKEN
    const recognised = Array.isArray(body['campaigns'])
      ? { ...body, campaigns: body['campaigns'].map((one) => this.recognised(one as Record<string, unknown>)) }
      : this.recognised(body)
    return withoutProse(recognised)
  }

  /** A claim, and the reply of an experiment alone, name the run; they are recognised. */
  private withoutRuns(id: string, { claims, ...body }: Record<string, unknown>): Record<string, unknown> {
    const life = this.world.lifeOf(id)
    if (Array.isArray(claims)) {
      const runs = claims as readonly (Body & { readonly run_id: unknown; readonly experiment: Experiment })[]
      for (const { run_id, experiment } of runs) this.world.runs.learn(life, experiment, run_id)
      return { ...body, claims: runs.map(({ run_id: _run, ...claim }) => claim) }
    }
    if (body['exp_id'] === undefined) return body
    const { run_id, ...experiment } = body as unknown as Experiment & { readonly run_id: unknown }
    const hasNone = experiment.status === 'pending' || experiment.attempt === 0
    if (!hasNone) this.world.runs.learn(life, experiment, run_id)
    else if (run_id !== null) throw new Error(`an experiment without a run has the run_id ${JSON.stringify(run_id)}`)
    return experiment
  }

  private recognised(body: Record<string, unknown>): Record<string, unknown> {
    const { uid, body_digest, ...rest } = body
    const campaign = this.world.campaigns.get(String(body['campaign_id']))
    if (uid !== undefined && campaign !== undefined) this.world.recognise(campaign, uid, body_digest)
    return rest
  }
}

function idIn(path: string): string {
  return /^\/v1\/campaigns\/([\w-]+)/.exec(path)?.[1] ?? ''
}

const SHOWN_TEXT = 60

function shown({ method, path, body, headers = {} }: Call): string {
  const short = (_key: string, value: unknown) =>
    typeof value === 'string' && value.length > SHOWN_TEXT ? `${value.slice(0, SHOWN_TEXT)}...` : value
  const parts = [...(body === undefined ? [] : [body]), ...Object.entries(headers).map((header) => header.join(': '))]
  return [method, path, ...parts.map((part) => JSON.stringify(part, short))].join(' ')
}

export function problem({ status, code, members }: Refused): Expected {
  return { status, body: { status, code, ...members } }
}

export function manifestOf({ body: _body, ...manifest }: PlainCampaign): object {
  return manifest
}

export function summaryOf(campaign: PlainCampaign): object {
  const { body: _body, experiments: _experiments, ...header } = campaign
  return { ...header, state: stateOf(campaign), progress: progressOf(campaign) }
}

export function pathOf(campaignId: string): string {
  return `/v1/campaigns/${campaignId}`
}

export function byName(a: PlainCampaign, b: PlainCampaign): number {
  return compare(a.campaign_name, b.campaign_name) || compare(a.campaign_id, b.campaign_id)
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Stands for any page token. */
const TOKEN = 'a token'

export const NOT_FOUND = new Refused(404, 'campaign-not-found')

interface List extends Pick<Expected, 'tagOf'> {
  readonly path: string
  readonly query: URLSearchParams
  readonly limit: number | undefined
  /** Under this key a page has its part of all that match; undefined: there is no such campaign. */
  readonly key: string
  readonly all: readonly unknown[] | undefined
  /** What each page has beside it. */
  readonly beside?: object
}

/** Reads a list page by page, by the tokens that it gives out, to its end. */
export async function inPages(
  scene: Scene,
  { path, query, limit = Infinity, key, all, beside, ...tagged }: List,
): Promise<void> {
  if (limit !== Infinity) query.set('limit', String(limit))
  for (let from = 0; ; from += limit) {
    const call = { method: 'GET', path: `${path}?${query.toString()}` } as const
    if (all === undefined) {
      await scene.ask(call, problem(NOT_FOUND))
      return
    }
    const next = all.length <= from + limit ? null : TOKEN
    const page = { [key]: all.slice(from, from + limit), ...beside, next_page_token: next }
    const { text } = await scene.ask(call, { status: 200, body: page, ...tagged })
    const { next_page_token } = JSON.parse(text) as { readonly next_page_token: string | null }
    if (next_page_token === null) return
    query.set('page_token', next_page_token)
  }
}
