import type { FuzzRequest } from './fuzz-request.js'

/** Seconds of a lease that does not run out while the campaigns are compared. */
const LONG_LEASE = 600
/** Most seconds for which a call is held. */
const LONGEST_WAIT = 1

/** Of a matrix: its campaign is to stay small. */
const MOST_CYCLES = 3

const CAMPAIGN_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/
const MAX_ID = 63

/** Makes the request one under which no lease runs out, no call is held for long and no other session's campaign changes. */
export function tamed(request: FuzzRequest, prefix: string, isOwn: (id: string) => boolean): FuzzRequest {
  const owned = (id: unknown) =>
    typeof id !== 'string' || !CAMPAIGN_ID.test(id) || isOwn(id) || id.startsWith(prefix)
      ? id
      : `${prefix}${id}`.slice(0, MAX_ID)
  const { campaign_id, ...path } = request.path
  const { wait, campaign_id: inQuery, ...query } = request.query
  return {
    ...request,
    path: campaign_id === undefined ? path : { ...path, campaign_id: String(owned(campaign_id)) },
    query: {
      ...query,
      ...(inQuery === undefined ? {} : { campaign_id: owned(inQuery) }),
      ...(wait === undefined ? {} : { wait: within(wait, 0, LONGEST_WAIT, 60) }),
    },
    body: tamedBody(request.body, owned),
  }
}

function tamedBody(value: unknown, owned: (id: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => tamedBody(item, owned))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, tamedMember(key, item, owned)]))
}

function tamedMember(key: string, value: unknown, owned: (id: unknown) => unknown): unknown {
  if (key === 'campaign_id') return owned(value)
  if (key === 'wait_seconds') return within(value, 0, LONGEST_WAIT, 60)
  if (key === 'cycles') return within(value, 1, MOST_CYCLES, Number.MAX_SAFE_INTEGER)
  if (key === 'lease_seconds' || key === 'seconds') return within(value, LONG_LEASE, 86_400, 86_400)
  return tamedBody(value, owned)
}

/** A number that is allowed, brought between two others; anything else as it is. */
function within(value: unknown, least: number, most: number, allowed: number): unknown {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !(number >= 0 && number <= allowed)) return value
  return Math.min(most, Math.max(least, number))
}
