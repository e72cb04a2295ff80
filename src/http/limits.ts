const MIB = 1024 * 1024

/** Bounds on what the service accepts. */
export interface Limits {
  /** Seconds in which the headers of a request must arrive. */
  readonly headersTimeout: number
  /** Seconds in which a whole request must arrive. */
  readonly requestTimeout: number
  /** Seconds for which an idle connection is kept. */
  readonly keepAliveTimeout: number
  readonly maxConnections: number
  /** Bytes that may wait for clients, of all connections. */
  readonly maxUnsentBytes: number
  /** Long polls that may wait at the same time. */
  readonly maxWaiting: number
  /** Streams of events that may be open at the same time: in all, and from one address (0: any number). */
  readonly maxStreams: number
  readonly maxStreamsPerAddress: number
  /** Requests a second of one token, or of one address where there is no token; 0: any number. */
  readonly rateLimit: number
  /** Experiments in one campaign. */
  readonly maxExperiments: number
  /** Bytes of the manifest of one campaign. */
  readonly maxCampaignBytes: number
  /** Labels of one campaign. */
  readonly maxLabels: number
  /** Milliseconds by which the event loop may be late before reads are refused; 0: any. */
  readonly maxLag: number
}

export const DEFAULT_LIMITS: Limits = {
  headersTimeout: 15,
  requestTimeout: 60,
  // Longer than the 60 s of most proxies: were it shorter, a proxy would send a request on a connection that is just closed.
  keepAliveTimeout: 72,
  maxConnections: 8192,
  maxUnsentBytes: 128 * 1024 * 1024,
  maxWaiting: 4096,
  maxStreams: 2000,
  maxStreamsPerAddress: 0,
  rateLimit: 0,
  maxExperiments: 100_000,
  maxCampaignBytes: 64 * MIB,
  maxLabels: 100,
  maxLag: 500,
}

/** Bytes of a body, by what the call is for: what the service gives out it takes in. */
export interface BodyLimits {
  /** A whole manifest, in any layout and with any escapes. */
  readonly create: number
  readonly append: number
  /** Lists that name many experiments of a campaign. */
  readonly many: number
  /** Of an error of any length the end is kept. */
  readonly report: number
  readonly other: number
  /** Of all calls together, on their way: with one of the largest there is room for others. */
  readonly together: number
}

export function bodyLimits({ maxCampaignBytes }: Pick<Limits, 'maxCampaignBytes'>): BodyLimits {
  const create = Math.ceil(maxCampaignBytes * 1.5)
  return {
    create,
    append: maxCampaignBytes,
    many: 16 * MIB,
    report: 4 * MIB,
    other: MIB,
    together: create + 64 * MIB,
  }
}
