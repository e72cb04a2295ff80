import { existsSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import { send, type Reply } from '../../support/http/client.js'
import { campaignDraft } from '../../support/campaigns/drafts.js'
import { manifestPath, readManifest } from '../../support/store/files.js'
import {
  operationAt,
  problemsOfAnswer,
  problemsOfEvent,
  type DocumentedAnswer,
} from '../../support/http/open-api-document.js'
import type { Service } from '../../support/service/service-process.js'
import { FuzzClient } from './fuzz-client.js'
import { bodyOf, drawsOf, urlOf, type Draw, type FuzzedOperation, type FuzzRequest } from './fuzz-request.js'
import { garbageRequest } from './garbage.js'
import { leasedIn } from './known.js'
import { nearlyValid } from './nearly-valid.js'
import { steered } from './steer.js'
import { tamed } from './tamed.js'
import { validRequest } from './valid-request.js'

export type Mode = 'valid' | 'nearly valid' | 'garbage'

/** What one request is to be. */
export interface Turn {
  /** Its place among all of the run. */
  readonly number: number
  readonly operation: FuzzedOperation
  readonly mode: Mode
}

/** What a request was answered. */
export interface Taken {
  /** 0: nothing. */
  readonly status: number
  /** Of the problem; empty when it was none. */
  readonly code: string
}

/** Campaigns that a lane has at the same time, and how often it begins anew so that they stay small. */
const MOST_CAMPAIGNS = 4
const TURNS_OF_A_ROUND = 100

const EXPERIMENTS = 6
const KEPT_TOKENS = 5

/** Requests one after the other, about campaigns of its own: so it can be told what each of them changed. */
export class Lane {
  private readonly client: FuzzClient
  private readonly prefix: string
  private readonly pageTokens = new Map<string, string[]>()
  private campaigns: readonly string[] = []
  private names = 0
  private turns = 0

  constructor(
    private readonly service: Service,
    name: string,
    private readonly seed: number,
    private readonly problem: (text: string) => void,
  ) {
    this.client = new FuzzClient(service.url)
    this.prefix = `${name}-`
  }

  /** Makes a request, and checks the answer and what it changed. */
  async take(turn: Turn): Promise<Taken> {
    if (this.turns % TURNS_OF_A_ROUND === 0) await this.clear()
    this.turns += 1
    const draw = drawsOf(this.seed, turn.number)
    const request = await this.makeUp(draw, turn)
    const before = this.contents()
    const answer = await this.client.send(request).catch((error: unknown) => error as Error)
    const told = `request ${turn.number} of seed ${this.seed}, ${turn.mode}, ${shown(request)}`
    if (answer instanceof Error) {
      this.problem(`${answer.message}: ${told}`)
      return { status: 0, code: '' }
    }
    for (const wrong of wrongIn(request, answer)) this.problem(`${wrong}: ${told}`)
    const isRefused = answer.status >= 300 || request.operation.method === 'GET'
    if (isRefused && !isDeepStrictEqual(this.contents(), before)) {
      this.problem(`answered ${answer.status}, and changed a campaign: ${told}`)
    }
    this.learn(request, answer)
    return { status: answer.status, code: /"code":"([a-z-]+)"/.exec(answer.body)?.[1] ?? '' }
  }

  /** The campaigns that it has. */
  get owned(): readonly string[] {
    return this.campaigns
  }

  /** Deletes all that it has made. */
  async clear(): Promise<void> {
    for (const id of this.campaigns) await this.prepare('DELETE', `/v1/campaigns/${id}?force=true`, 204)
    this.campaigns = []
    this.pageTokens.clear()
  }

  close(): void {
    this.client.close()
  }

  private async makeUp(draw: Draw, { operation, mode }: Turn): Promise<FuzzRequest> {
    const manifest = await this.manifestFor(draw, operation)
    const known = {
      manifest,
      freshName: () => this.freshName(),
      pageTokens: this.pageTokens.get(operation.operationId) ?? [],
    }
    const valid = steered(draw, validRequest(draw, operation), known)
    return tamed(this.inMode(draw, mode, valid), this.prefix, (id) => this.campaigns.includes(id))
  }

  private inMode(draw: Draw, mode: Mode, valid: FuzzRequest): FuzzRequest {
    switch (mode) {
      case 'valid':
        return valid
      case 'nearly valid':
        return nearlyValid(draw, valid)
      case 'garbage':
        return garbageRequest(draw, valid.operation, valid)
    }
  }

  /** A campaign that the operation has something to do in. */
  private async manifestFor(draw: Draw, { operationId }: FuzzedOperation): Promise<CampaignManifest> {
    if (this.campaigns.length > MOST_CAMPAIGNS) await this.clear()
    const id =
      this.campaigns.length === 0 || operationId === 'deleteCampaign'
        ? await this.create()
        : draw(fc.constantFrom(...this.campaigns))
    const manifest = this.manifestOf(id)
    if (operationId !== 'sendHeartbeat' || leasedIn(manifest).length > 0) return manifest
    const fresh = await this.create()
    await this.prepare('POST', `/v1/campaigns/${fresh}/claims`, 200, { worker: 'gpu-1', lease_seconds: 600 })
    return this.manifestOf(fresh)
  }

  private async create(): Promise<string> {
    const campaign_id = this.freshName()
    const draft = campaignDraft(EXPERIMENTS, { campaign_id, settings: { max_retries: 2, lease_seconds: 600 } })
    await this.prepare('POST', '/v1/campaigns', 201, draft)
    this.campaigns = [...this.campaigns, campaign_id]
    return campaign_id
  }

  private async prepare(method: string, path: string, expected: number, body?: unknown): Promise<Reply> {
    const reply = await send(method, this.service.url + path, body)
    if (reply.status !== expected) throw new Error(`${method} ${path} was answered ${reply.status} ${reply.text}`)
    return reply
  }

  private learn({ operation, path }: FuzzRequest, { status, body }: DocumentedAnswer): void {
    const { operationId } = operation
    if (operationId === 'deleteCampaign' && status === 204) {
      this.campaigns = this.campaigns.filter((id) => id !== path['campaign_id'])
    }
    if (operationId === 'createCampaign' && status === 201) {
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

  private manifestOf(id: string): CampaignManifest {
    return JSON.parse(readManifest(this.service.dataDir, id)) as CampaignManifest
  }

  private contents(): Record<string, string | null> {
    const { dataDir } = this.service
    return Object.fromEntries(
      this.campaigns.map((id) => [id, existsSync(manifestPath(dataDir, id)) ? readManifest(dataDir, id) : null]),
    )
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
