import type { LeaseKeeper } from '../leases/lease-keeper.ts'
import type { ChangeWaiter } from '../live/change-waiter.ts'
import type { EventHub } from '../live/event-hub.ts'
import type { HeldStates } from '../live/held-states.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { CampaignStore } from '../repository/campaign-store.ts'
import type { CampaignService } from './campaign-service.ts'

/** The service without HTTP. */
export interface Service {
  readonly campaigns: CampaignService
  readonly store: CampaignStore
  readonly leases: LeaseKeeper
  readonly changes: ChangeWaiter
  readonly events: EventHub
  readonly held: HeldStates
  readonly metrics: Metrics
  /** Ends streams and long polls: before HTTP is closed. */
  drain(): void
  /** Finishes what was accepted, then closes the store. */
  close(): Promise<void>
}
