import type { CampaignStore, Committed, Unsubscribe } from '../repository/campaign-store.ts'
import { HeldCampaign, type HeldClient, type HeldState, keyOf } from './held-campaign.ts'

interface Watched {
  readonly campaign: HeldCampaign
  readonly unwatch: Unsubscribe
}

/**
 * States of campaigns that are in memory because clients read them slowly: downloads, and events of a large change. Bounded in the
 * bytes that they do not share with newer states. Above that the oldest is given up, and who reads it with it.
 */
export class HeldStates {
  /** By `keyOf`. */
  private readonly campaigns = new Map<string, Watched>()
  /** The one held first first. */
  private readonly all = new Set<HeldState>()
  private total = 0

  constructor(
    private readonly store: Pick<CampaignStore, 'read' | 'watch'>,
    private readonly maxBytes: number,
  ) {}

  /** Bytes that are in memory for slow clients alone. */
  get bytes(): number {
    return this.total
  }

  /**
   * Counts a state for as long as a client reads it.
   * @param giveUp called at most once, when there is no room: it lets go of the state
   * @returns to be called when the client is through; more calls do nothing. It keeps nothing of the state after that
   */
  hold(committed: Committed, giveUp: () => void): () => void {
    const client: HeldClient = { state: this.add(committed), giveUp }
    client.state?.clients.add(client)
    this.makeRoom()
    return () => {
      this.release(client)
    }
  }

  private add(committed: Committed): HeldState {
    const { campaign } = this.campaigns.get(keyOf(committed)) ?? this.watch(committed)
    const state = this.counted(campaign, () => campaign.add(committed))
    this.all.add(state)
    return state
  }

  private watch(first: Committed): Watched {
    const campaign = new HeldCampaign(first)
    const { campaign_id } = first.campaign.header
    const observe = (committed: Committed | null) => {
      if (this.campaigns.get(campaign.key) !== watched) return
      this.counted(campaign, () => {
        campaign.observe(committed)
      })
      this.makeRoom()
    }
    const unwatch = this.store.watch(campaign_id, (change) => {
      observe('campaign' in change ? change : null)
    })
    const watched = { campaign, unwatch }
    this.campaigns.set(campaign.key, watched)
    // Another state may have followed before it was watched. A campaign that cannot be read is gone, or fails at its next change.
    this.store.read(campaign_id).then(observe, () => {
      observe(null)
    })
    return watched
  }

  private release(client: HeldClient): void {
    const { state } = client
    client.state = null
    client.giveUp = null
    if (state?.clients.delete(client) === true && state.clients.size === 0) this.remove(state)
  }

  private remove(state: HeldState): void {
    const { campaign } = state
    this.all.delete(state)
    this.counted(campaign, () => {
      campaign.remove(state)
    })
    if (!campaign.isEmpty) return
    this.campaigns.get(campaign.key)?.unwatch()
    this.campaigns.delete(campaign.key)
  }

  private makeRoom(): void {
    for (const state of this.all) {
      if (this.total <= this.maxBytes) return
      if (state.own === 0) continue
      for (const client of [...state.clients]) {
        const { giveUp } = client
        this.release(client)
        giveUp?.()
      }
    }
  }

  private counted<T>(campaign: HeldCampaign, work: () => T): T {
    const before = campaign.bytes
    const result = work()
    this.total += campaign.bytes - before
    return result
  }
}
