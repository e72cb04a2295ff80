/** Bounds on what the service accepts. */
export interface Limits {
  /** Bytes of a body, for creating and appending; other calls accept at most 1 MiB. */
  readonly bodyLimit: number
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
  /** Labels of one campaign. */
  readonly maxLabels: number
  /** Milliseconds by which the event loop may be late before reads are refused; 0: any. */
  readonly maxLag: number
}

export const DEFAULT_LIMITS: Limits = {
  bodyLimit: 16 * 1024 * 1024,
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
  maxLabels: 100,
  maxLag: 500,
}
