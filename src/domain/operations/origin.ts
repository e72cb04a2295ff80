/** Where a change comes from. */
export interface Origin {
  /** When it is decided: RFC 3339, UTC. */
  readonly now: string
  /** The name of the token of its caller; null: none. */
  readonly actor: string | null
}
