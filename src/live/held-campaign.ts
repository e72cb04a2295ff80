import type { Committed } from '../repository/campaign-store.ts'

type Parts = readonly Uint8Array[]

/** A client that reads a state. Both are null once it is through: whoever can still reach it must not keep the state. */
export interface HeldClient {
  state: HeldState | null
  /** Lets go of the state. */
  giveUp: (() => void) | null
}

/** A state of a campaign that clients are in the middle of reading. */
export class HeldState {
  readonly clients = new Set<HeldClient>()
  /** Bytes that no newer state shares: those that are in memory for its clients alone. */
  own = 0

  private constructor(
    readonly campaign: HeldCampaign,
    readonly revision: number,
    private readonly bytes: number,
    /** Null where the store does not keep the bytes. */
    private readonly parts: Parts | null,
  ) {}

  static of(held: HeldCampaign, { campaign, encoded }: Committed): HeldState {
    return new HeldState(held, campaign.header.revision, campaign.bytes, encoded?.parts ?? null)
  }

  /** @param newer null: the campaign is gone */
  bytesBeyond(newer: HeldState | null): number {
    if (newer === null) return this.bytes
    if (newer.revision <= this.revision) return 0
    if (newer.parts === null || this.parts === null) return this.bytes
    // A commit copies the parts that it changes, and shares the others, each at its place.
    const { parts } = newer
    return this.parts.reduce((sum, part, index) => (part === parts[index] ? sum : sum + part.length), 0)
  }
}

/** The states of one campaign that are held. */
export class HeldCampaign {
  readonly key: string
  /** By revision. */
  private readonly states: HeldState[] = []
  /** What is committed, as far as it is known; null: the campaign is gone. */
  private committed: HeldState | null
  private sum = 0

  /** @param first is taken for what is committed until more is known */
  constructor(first: Committed) {
    this.key = keyOf(first)
    this.committed = HeldState.of(this, first)
  }

  /** Bytes that are in memory for its clients alone. */
  get bytes(): number {
    return this.sum
  }

  get isEmpty(): boolean {
    return this.states.length === 0
  }

  /** The state, which is held from now on. */
  add(committed: Committed): HeldState {
    const { revision } = committed.campaign.header
    const at = this.states.findLastIndex((state) => state.revision <= revision)
    const known = this.states[at]
    if (known?.revision === revision) return known
    const state = HeldState.of(this, committed)
    // Who reads it was told of it sooner.
    if (this.committed !== null && this.committed.revision < revision) this.committed = state
    this.states.splice(at + 1, 0, state)
    this.count(at)
    this.count(at + 1)
    return state
  }

  remove(state: HeldState): void {
    const at = this.states.indexOf(state)
    this.sum -= state.own
    this.states.splice(at, 1)
    this.count(at - 1)
  }

  /** @param committed what is there by its id; null: nothing. It may be another campaign by now, and may be older than what is known */
  observe(committed: Committed | null): void {
    if (committed === null || keyOf(committed) !== this.key) this.committed = null
    else if (this.committed !== null && this.committed.revision < committed.campaign.header.revision)
      this.committed = HeldState.of(this, committed)
    this.count(this.states.length - 1)
  }

  /** Counts anew what one state has that the next one, or what is committed, has not. */
  private count(at: number): void {
    const state = this.states[at]
    if (state === undefined) return
    const own = state.bytesBeyond(this.states[at + 1] ?? this.committed)
    this.sum += own - state.own
    state.own = own
  }
}

/** One that is deleted may be made again with the same id, and is another campaign then. */
export function keyOf({ campaign: { header } }: Committed): string {
  return `${header.campaign_id} ${header.uid}`
}
