import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { send } from '../../support/http/client.js'
import {
  type DocumentedAnswer,
  operationAt,
  problemsOfAnswer,
  problemsOfEvent,
} from '../../support/http/open-api-document.js'
import type { Service } from '../../support/service/service-process.js'
import { findManifest, storedManifest } from '../../support/store/files.js'
import { caught, expectStatus } from '../replies.js'
import { type Draw, drawsOf } from '../seed.js'
import { sendFuzzed } from './fuzz-client.js'
import { bodyOf, type FuzzedOperation, type FuzzRequest, urlOf } from './fuzz-request.js'
import { leasedIn, steered } from './steer.js'
import { tamed } from './tamed.js'
import { validRequest } from './valid-request.js'
import { garbageRequest, nearlyValid } from './wrong-request.js'

const IN_MODE = {
  valid: (_draw: Draw, valid: FuzzRequest) => valid,
  'nearly valid': nearlyValid,
  garbage: garbageRequest,
}

export type Mode = keyof typeof IN_MODE

export interface Plan {
  readonly number: number
  readonly operation: FuzzedOperation
  readonly mode: Mode
}

/** Campaigns at the same time, and after how many requests they are made anew so that they stay small. */
const MOST_CAMPAIGNS = 4
const REQUESTS_OF_A_ROUND = 100

const EXPERIMENTS = 6
const KEPT_TOKENS = 5

/** Requests one after the other, on campaigns of its own: so what each of them changed is known. */
export class FuzzSession {
  private readonly prefix: string
  private readonly pageTokens = new Map<string, string[]>()
  campaigns: readonly string[] = []
  private names = 0
  private requests = 0

  constructor(
    private readonly service: Service,
    name: string,
    private readonly seed: number,
    private readonly problem: (text: string) => void,
  ) {
    this.prefix = `${name}-`
  }

  /** Makes up a request, sends it, and checks the reply and what it changed. @returns the status 0 when there was no reply */
  async send(plan: Plan): Promise<{ readonly status: number; readonly code: string }> {
    if (this.requests % REQUESTS_OF_A_ROUND === 0) await this.clear()
    this.requests += 1
    // Seeds that are next to each other would begin with values that are.
    const draw = drawsOf(Math.imul(plan.number + 1, 0x9e3779b1) ^ this.seed)
    const request = await this.makeUp(draw, plan)
    const before = this.contents()
    const answer = await caught(sendFuzzed(this.service.url, request))
    const where = `request ${plan.number} of seed ${this.seed}, ${plan.mode}, ${shown(request)}`
    if (answer instanceof Error) {
      this.problem(`${answer.message}: ${where}`)
      return { status: 0, code: '' }
    }
    for (const wrong of wrongIn(request, answer)) this.problem(`${wrong}: ${where}`)
    const isRefused = answer.status >= 300 || request.operation.method === 'GET'
    if (isRefused && !isDeepStrictEqual(this.contents(), before)) {
      this.problem(`answered ${answer.status}, and changed a campaign: ${where}`)
    }
    this.learn(request, answer)
    return { status: answer.status, code: /"code":"([a-z-]+)"/.exec(answer.body)?.[1] ?? '' }
  }

  async clear(): Promise<void> {
    for (const id of this.campaigns) await this.prepare('DELETE', `/v1/campaigns/${id}?force=true`, 204)
    this.campaigns = []
    this.pageTokens.clear()
  }

  private async makeUp(draw: Draw, { operation, mode }: Plan): Promise<FuzzRequest> {
    const manifest = await this.manifestFor(draw, operation)
    const known = {
      manifest,
      freshName: () => this.freshName(),
      pageTokens: this.pageTokens.get(operation.operationId) ?? [],
    }
    const valid = steered(draw, validRequest(draw, operation), known)
    return tamed(IN_MODE[mode](draw, valid), this.prefix, (id) => this.campaigns.includes(id))
  }

  private async manifestFor(draw: Draw, { operationId }: FuzzedOperation): Promise<CampaignManifest> {
    if (this.campaigns.length > MOST_CAMPAIGNS) await this.clear()
    const id =
      this.campaigns.length === 0 || operationId === 'deleteCampaign'
        ? await this.create()
        : draw(fc.constantFrom(...this.campaigns))
    const manifest = storedManifest(this.service.dataDir, id)
    const hasWorker = manifest.experiments.some(({ worker }) => worker !== null)
    const needsClaim =
      (operationId === 'sendHeartbeat' && leasedIn(manifest).length === 0) ||
      (operationId === 'patchWorker' && !hasWorker)
    if (!needsClaim) return manifest
    const fresh = await this.create()
    await this.prepare('POST', `/v1/campaigns/${fresh}/claims`, 200, { worker: 'gpu-1', lease_seconds: 600 })
    return storedManifest(this.service.dataDir, fresh)
  }

  private async create(): Promise<string> {
    const campaign_id = this.freshName()
    const draft = campaignDraft(EXPERIMENTS, { campaign_id, settings: { max_retries: 2, lease_seconds: 600 } })
    await this.prepare('POST', '/v1/campaigns', 201, draft)
    this.campaigns = [...this.campaigns, campaign_id]
    return campaign_id
  }

  private prepare(method: string, path: string, expected: number, body?: unknown): Promise<void> {
    return expectStatus(expected, send(method, this.service.url + path, body))
  }

  private learn({ operation, path }: FuzzRequest, { status, body }: DocumentedAnswer): void {
    const { operationId } = operation
    if (operationId === 'deleteCampaign' && status === 204) {
      this.campaigns = this.campaigns.filter((id) => id !== path['campaign_id'])
    }
    if (status === 201 && (operationId === 'createCampaign' || operationId === 'saveCampaign')) {
      this.campaigns = [...this.campaigns, (JSON.parse(body) as CampaignManifest).campaign_id]
    }
    if (status !== 200 || !body.includes('"next_page_token":"')) return
    const { next_page_token: token } = JSON.parse(body) as { readonly next_page_token: string }
    this.pageTokens.set(operationId, [token, ...(this.pageTokens.get(operationId) ?? [])].slice(0, KEPT_TOKENS))
  }

  private freshName(): string {
    this.names += 1
    return `${this.prefix}${this.names}`
  }

  private contents(): Record<string, string | null> {
    return Object.fromEntries(this.campaigns.map((id) => [id, findManifest(this.service.dataDir, id)]))
  }
}

function wrongIn(request: FuzzRequest, answer: DocumentedAnswer): string[] {
  const { method, template } = request.operation
  const url = urlOf(request)
  const problems = problemsOfAnswer(method, url, answer)
  if (answer.status >= 500) problems.push(`answered ${answer.status} ${answer.body}`)
  if (operationAt(method, url.split('?')[0] ?? '') === undefined && answer.status < 400) {
    problems.push(`answered ${answer.status}, but the document does not have it`)
  }
  if (!String(answer.headers['content-type']).startsWith('text/event-stream')) return problems
  const data = /^data: (.*)$/m.exec(answer.body)?.[1]
  return data === undefined ? problems : [...problems, ...problemsOfEvent(template, data)]
}

function shown(request: FuzzRequest): string {
  const headers = JSON.stringify(request.headers)
  return `${request.operation.method} ${urlOf(request)} ${headers} ${bodyOf(request) ?? ''}`.slice(0, 800)
}
