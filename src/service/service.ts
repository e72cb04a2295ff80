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
  /** Aborts when the service stops: long work that is not decided yet is given up then, with its reason. */
  readonly stopping: AbortSignal
  /** Ends streams, long polls and long work: before HTTP is closed. @param refusal what the calls get whose work is given up */
  drain(refusal: Error): void
  /** Finishes what was accepted, then closes the store. */
  close(): Promise<void>
}
