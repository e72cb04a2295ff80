import type { CampaignChange, CampaignStore, Committed, Unsubscribe } from '../repository/campaign-store.ts'

type Parts = readonly Uint8Array[]

/** A state of a campaign that clients are in the middle of reading. */
interface HeldState {
  readonly campaign: Committed['campaign']
  /** Null where the store does not keep the bytes. */
  readonly parts: Parts | null
  /** Gives it up, of each client. */
  readonly clients: Set<() => void>
  /** Bytes that no newer state shares: those that are in memory for its clients alone. */
  own: number
}

/** The states of one campaign that are held. */
interface HeldCampaign {
  /** The oldest first. */
  readonly states: HeldState[]
  readonly unwatch: Unsubscribe
  /** Parts of the committed state; null: it has none of them. Undefined until it changes: it is the newest of the states. */
  committed: Parts | null | undefined
}

/**
 * States of campaigns that are in memory because clients read them slowly: downloads, and events of a large change. Bounded in the
 * bytes that they do not share with newer states. Above that the oldest is given up, and who reads it with it.
 */
export class HeldStates {
  private readonly campaigns = new Map<string, HeldCampaign>()
  /** The one held first first. */
  private readonly all = new Set<HeldState>()
  private total = 0

  constructor(
    private readonly store: Pick<CampaignStore, 'watch'>,
    private readonly maxBytes: number,
  ) {}

  /** Bytes that are in memory for slow clients alone. */
  get bytes(): number {
    return this.total
  }

  /**
   * Counts a state for as long as a client reads it.
   * @param giveUp called at most once, when there is no room: it lets go of the state
   * @returns to be called when the client is through; more calls do nothing
   */
  hold({ campaign, encoded }: Committed, giveUp: () => void): () => void {
    const { campaign_id } = campaign.header
    const held = this.campaigns.get(campaign_id) ?? this.watch(campaign_id)
    const known = held.states.findLast((state) => state.campaign === campaign)
    const state = known ?? { campaign, parts: encoded?.parts ?? null, clients: new Set(), own: 0 }
    // Of its own: the same function may be given twice.
    const client = () => {
      giveUp()
    }
    state.clients.add(client)
    if (known === undefined) this.add(held, state)
    return () => {
      if (state.clients.delete(client) && state.clients.size === 0) this.remove(state)
    }
  }

  private watch(campaignId: string): HeldCampaign {
    const unwatch = this.store.watch(campaignId, (change) => {
      held.committed = partsOf(change)
      this.count(held, held.states.length - 1)
      this.makeRoom()
    })
    const held: HeldCampaign = { states: [], unwatch, committed: undefined }
    this.campaigns.set(campaignId, held)
    return held
  }

  private add(held: HeldCampaign, state: HeldState): void {
    held.states.push(state)
    this.all.add(state)
    this.count(held, held.states.length - 2)
    this.count(held, held.states.length - 1)
    this.makeRoom()
  }

  private remove(state: HeldState): void {
    const { campaign_id } = state.campaign.header
    const held = this.campaigns.get(campaign_id)
    if (held === undefined || !this.all.delete(state)) return
    this.total -= state.own
    const at = held.states.indexOf(state)
    held.states.splice(at, 1)
    this.count(held, at - 1)
    if (held.states.length > 0) return
    held.unwatch()
    this.campaigns.delete(campaign_id)
  }

  /** Counts anew what one state has that the next one, or what is committed, has not. */
  private count({ states, committed }: HeldCampaign, at: number): void {
    const state = states[at]
    if (state === undefined) return
    const next = states[at + 1]
    const own = bytesBeyond(state, next === undefined ? committed : next.parts)
    this.total += own - state.own
    state.own = own
  }

  private makeRoom(): void {
    for (const state of this.all) {
      if (this.total <= this.maxBytes) return
      if (state.own > 0) this.giveUp(state)
    }
  }

  private giveUp(state: HeldState): void {
    const clients = [...state.clients]
    state.clients.clear()
    this.remove(state)
    for (const client of clients) client()
  }
}

function partsOf(change: CampaignChange): Parts | null {
  return change.type === 'changed' ? (change.encoded?.parts ?? null) : null
}

/** @param newer undefined: that is the same state; null: nothing of it is known to be the same */
function bytesBeyond({ campaign, parts }: HeldState, newer: Parts | null | undefined): number {
  if (newer === undefined) return 0
  if (parts === null || newer === null) return campaign.bytes
  // A commit copies the parts that it changes, and shares the others, each at its place.
  return parts.reduce((sum, part, index) => (part === newer[index] ? sum : sum + part.length), 0)
}
