import { createHash } from 'node:crypto'

/** What is seen of a campaign, in words that are equal when it is the same, byte for byte. */
export type Sight = string

/** What may be seen of a campaign: nothing is promised of what another program is still writing. */
export type Allowed = ReadonlySet<Sight> | 'anything'

/** What lies under the name of a campaign, and beside it. */
export interface Slot {
  readonly manifest: Uint8Array | null
  readonly kind: 'manifest' | 'corrupt'
  readonly aside: Uint8Array | null
}

export const EMPTY: Slot = { manifest: null, kind: 'manifest', aside: null }

/** What is seen of a campaign: the file under its name, and what was set aside of it. */
export function sightOf(
  manifest: Uint8Array | null,
  kind: 'manifest' | 'corrupt',
  setAside: readonly Uint8Array[],
): Sight {
  const seen = manifest === null ? 'nothing' : `${kind} ${digest(manifest)}`
  return [seen, ...setAside.map((bytes) => `set aside ${digest(bytes)}`)].join(', ')
}

export function sightOfSlot({ manifest, kind, aside }: Slot): Sight {
  return sightOf(manifest, kind, aside === null ? [] : [aside])
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12)
}
