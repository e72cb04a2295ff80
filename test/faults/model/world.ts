import type { CampaignDraft } from '#campaignd/domain/draft.js'
import type { PlainCampaign } from './campaign-model.js'
import { TagBook } from './tag-book.js'

/** Which campaign a command means: one that is there, or one that is not. */
export interface CampaignChoice {
  readonly nth: number
  readonly isGone: boolean
}

const BEGIN = Date.parse('2026-03-01T12:00:00.000Z')

/** The model of all that a run knows: its campaigns, which carry its prefix, the time, and what was seen of the opaque. */
export class World {
  readonly campaigns = new Map<string, PlainCampaign>()
  readonly tags = new TagBook()
  /** Ids that are or were those of a campaign. */
  readonly ids = new Set<string>()
  /** What each campaign was created with last. */
  readonly drafts = new Map<string, CampaignDraft>()
  /** What was done, in the order of the run, for whoever has to do it again by hand. */
  readonly diary: string[] = []
  private readonly lives = new Map<string, number>()
  private readonly uids = new Map<string, string>()
  private readonly digests = new Map<string, string>()
  private time = BEGIN

  /** @param prefix in the ids and in the names of the campaigns of this run, and of no other */
  constructor(readonly prefix: string) {}

  get now(): string {
    return new Date(this.time).toISOString()
  }

  pass(milliseconds: number): void {
    this.time += milliseconds
  }

  choose({ nth, isGone }: CampaignChoice): string {
    const live = [...this.campaigns.keys()]
    const gone = [...this.ids].filter((id) => !this.campaigns.has(id))
    const from = isGone || live.length === 0 ? [...gone, `${this.prefix}-never`] : live
    return from[nth % from.length] ?? ''
  }

  /** A campaign came to be: another one than any of its id before. */
  add(campaign: PlainCampaign): void {
    const { campaign_id } = campaign
    this.ids.add(campaign_id)
    this.lives.set(campaign_id, (this.lives.get(campaign_id) ?? 0) + 1)
    this.campaigns.set(campaign_id, campaign)
  }

  /** Which version of the campaign, or of one of its experiments, is the current one. */
  versionOf(id: string, expId?: string): string {
    const campaign = this.campaigns.get(id)
    const one = expId === undefined ? campaign : campaign?.experiments.find(({ exp_id }) => exp_id === expId)
    return `life ${this.lives.get(id) ?? 0} revision ${one?.revision ?? 0}`
  }

  /** @throws Error when uid or digest are not those that this campaign has, or are those of another */
  recognise({ campaign_id, definition }: PlainCampaign, uid: unknown, digest: unknown): void {
    same(this.uids, `${campaign_id} life ${this.lives.get(campaign_id) ?? 0}`, String(uid))
    same(this.digests, definition, String(digest))
  }
}

function same(known: Map<string, string>, owner: string, value: string): void {
  const before = known.get(owner)
  if (before === value) return
  if (before !== undefined) throw new Error(`${owner} had ${before}, now it has ${value}`)
  if ([...known.values()].includes(value)) throw new Error(`${owner} has ${value}, which another one has`)
  known.set(owner, value)
}
