import type { Experiment } from '#campaignd/domain/experiment/experiment.js'
import type { Claimed } from '#campaignd/domain/operations/claim/claim.js'
import type { ClaimRequest as WithoutReports } from '#campaignd/domain/operations/claim/claim-request.js'
import type { AppReply } from '../service/app.js'
import type { TestCampaign } from './campaign.js'

type ClaimRequest = WithoutReports & { readonly reports?: readonly unknown[] }

export interface ClaimReply extends Pick<Claimed, 'state' | 'done'> {
  readonly claims: readonly {
    readonly experiment: Experiment
    readonly run_id: string
    readonly attempt: number
    readonly lease_seconds: number
    readonly lease_expires_at: string
    readonly heartbeat_seconds: number
  }[]
  /** Of the reports that came along. */
  readonly results?: readonly {
    readonly exp_id: string
    readonly status: number
    readonly experiment?: Experiment
    readonly problem?: { readonly code: string }
  }[]
}

export function claim({ call, path }: TestCampaign, body: Partial<ClaimRequest> = {}): Promise<AppReply> {
  return call('POST', `${path}/claims`, { body: { worker: 'w1', ...body } })
}

/** The ids of the experiments that a claim gets. */
export async function claimedIds(campaign: TestCampaign, body: Partial<ClaimRequest> = {}): Promise<string[]> {
  const reply = await claim(campaign, body)
  return reply.json<ClaimReply>().claims.map(({ experiment }) => experiment.exp_id)
}

export function heartbeat({ call, path }: TestCampaign, expId: string, body: object): Promise<AppReply> {
  return call('POST', `${path}/experiments/${expId}/heartbeat`, { body })
}
