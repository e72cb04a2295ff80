import type { Campaign } from '../domain/campaign/campaign.ts'
import type { CampaignSize } from '../domain/campaign/campaign-size.ts'
import { TimestampWriter } from '../domain/timestamp-writer.ts'
import { ClaimIds } from '../leases/claim-ids.ts'
import { LeaseKeeper } from '../leases/lease-keeper.ts'
import { ChangeWaiter } from '../live/change-waiter.ts'
import { EventHub } from '../live/event-hub.ts'
import { HeldStates } from '../live/held-states.ts'
import { Metrics } from '../metrics/metrics.ts'
import type { CampaignStore } from '../repository/campaign-store.ts'
import { openFileStore } from '../repository/file/open-file-store.ts'
import { CampaignService } from './campaign-service.ts'
import type { Service } from './service.ts'

export interface Clocks {
  /** Milliseconds since 1970. */
  readonly wall: () => number
  /** Milliseconds from any origin, never going back. */
  readonly monotonic: () => number
}

/** A logger of pino, or one like it. */
export interface ServiceLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface ServiceOptions {
  readonly dataDir: string
  /** What acknowledged means: on disk (`fsync`), or handed to the operating system (`os`). */
  readonly durability: 'fsync' | 'os'
  readonly limits: CampaignSize
  readonly logger: ServiceLog
  readonly clocks?: Clocks
  /** The store cannot tell what is durable: the process must exit non-zero and acknowledge nothing more. */
  readonly onFatal: (reason: Error) => void
  /** For tests: wraps the store that the rest works on. */
  readonly wrapStore?: (store: CampaignStore) => CampaignStore
}

/** For old states of campaigns that clients read slowly; as values they take two to three times as much. One state has room in any case. */
const HELD_BYTES = 64 * 1024 * 1024

/** Experiments that one line of the log names. */
const MOST_LOGGED = 100

/** Campaigns of which it is remembered that a notice was given. */
const MOST_NOTICED = 10_000

const CLOCKS: Clocks = { wall: Date.now, monotonic: () => performance.now() }

/**
 * Opens the data directory and builds the object graph on it: nothing else does.
 * @throws Error that says who holds the directory or what is wrong with it
 */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { logger, limits, clocks = CLOCKS } = options
  const timestamps = new TimestampWriter()
  const now = () => timestamps.write(clocks.wall())
  const metrics = new Metrics()
  const { maxCampaignBytes } = limits
  const controller = new AbortController()
  const { signal: stopping } = controller
  const ofStore = storeEvents(options, metrics)
  const fileStore = await openFileStore({ ...ofStore, now, monotonic: clocks.monotonic, maxCampaignBytes, stopping })
  const store = options.wrapStore?.(fileStore) ?? fileStore
  const leases = new LeaseKeeper({ store, wall: clocks.wall, ...leaseEvents(logger, metrics, stopping) })
  const claimIds = new ClaimIds(clocks.monotonic)
  const changes = new ChangeWaiter(store)
  const held = new HeldStates(store, Math.max(HELD_BYTES, maxCampaignBytes))
  const events = new EventHub(store, held)
  metrics.watchLock(() => fileStore.lockAge())
  metrics.watch({
    ...{ store, events, held, now, leases: store.leases },
    onError: (error) => {
      logger.error({ err: error }, 'the campaigns could not be counted: the metrics leave them out')
    },
  })
  const campaigns = new CampaignService({ store, leases, claimIds, changes, limits, now, stopping })
  return {
    ...{ campaigns, store, leases, changes, events, held, metrics, stopping },
    drain: (refusal) => {
      controller.abort(refusal)
      events.end()
      changes.end()
    },
    close: async () => {
      await leases.close()
      await store.close()
    },
  }
}

function storeEvents({ dataDir, durability, logger, onFatal }: ServiceOptions, metrics: Metrics) {
  const noticed = new Set<string>()
  return {
    ...{ dataDir, durability, onFatal },
    onWait: (holder: string, seconds: number) => {
      logger.warn({}, `the data directory is in use by ${holder}; waiting up to ${seconds} s for it`)
    },
    onNotice: (sentence: string) => {
      logger.warn({}, sentence)
    },
    onCorrupt: (campaign_id: string, reason: string) => {
      logger.error({ campaign_id, reason }, 'campaign is corrupt: its file is left alone')
    },
    onShrunk: ({ header: { campaign_id, uid }, bytes, limit }: Campaign, experiments: number) => {
      metrics.shrunk(experiments)
      if (noticed.has(uid)) return
      if (noticed.size >= MOST_NOTICED) noticed.clear()
      noticed.add(uid)
      logger.warn(
        { campaign_id, bytes, limit },
        'the campaign comes near CAMPAIGND_MAX_CAMPAIGN_BYTES: the oldest errors of its experiments are cut from now on',
      )
    },
    onCommit: metrics.committed.bind(metrics),
  }
}

function leaseEvents(logger: ServiceLog, metrics: Metrics, stopping: AbortSignal) {
  return {
    onExpired: (campaign_id: string, exp_ids: readonly string[]) => {
      metrics.expired(exp_ids.length)
      const fields = { campaign_id, leases: exp_ids.length, exp_ids: exp_ids.slice(0, MOST_LOGGED) }
      logger.warn(fields, 'leases ran out: their experiments are lost')
    },
    onError: (campaign_id: string, error: unknown) => {
      // Given up: the next start gives each lease a new period.
      if (stopping.aborted && error === stopping.reason) return
      logger.error({ campaign_id, err: error }, 'leases that ran out could not be ended: tried again')
    },
  }
}
