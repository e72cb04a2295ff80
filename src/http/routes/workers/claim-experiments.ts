import type { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CampaignState } from '../../../domain/campaign/campaign-state.ts'
import { Attempt, CampaignManifestEntry, LeaseSeconds, Timestamp } from '../../../domain/experiment/experiment.ts'
import { RunId } from '../../../domain/experiment/run-id.ts'
import { claimProperties, ClaimRequest, MAX_REPORTS } from '../../../domain/operations/claim/claim-request.ts'
import { Described, ref, StrictObject } from '../../../domain/schema.ts'
import {
  type ClaimResult,
  type GrantedClaim,
  type ReportingClaimResult,
  reportName,
} from '../../../service/claim-experiments.ts'
import type { Route } from '../../dependencies.ts'
import { actorOf } from '../../guards/authentication.ts'
import { bodyLimits } from '../../limits.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { BatchResult, batchResult } from '../../problems/batch-result.ts'
import { pathOf } from '../../problems/problem.ts'
import { longPoll } from '../../replies/long-poll.ts'
import { jsonPieces, objectPieces } from '../../replies/pieces.ts'
import { readReport, UncheckedReport } from '../../requests/list-of-reports.ts'
import { CampaignParams, Timezone, timezoneOf } from '../../requests/parameters.ts'

/** Heartbeats in a lease period as advised: two may be lost. */
const HEARTBEATS = 3

const Claim = StrictObject({
  experiment: ref(CampaignManifestEntry),
  run_id: Described(RunId, 'Send it with every report and heartbeat: it says which run they are about'),
  attempt: Described(Attempt, 'How many times the experiment has been started'),
  lease_seconds: LeaseSeconds,
  lease_expires_at: Described(Timestamp, 'When the lease runs out without a heartbeat'),
  heartbeat_seconds: Type.Number({ exclusiveMinimum: 0, description: 'Send a heartbeat this often', examples: [20] }),
})

/** Checks the claim without its reports: one that is not valid fails alone. */
const Envelope = StrictObject({
  ...claimProperties,
  reports: Type.Optional(Type.Array(UncheckedReport, { maxItems: MAX_REPORTS })),
})

const ClaimResponse = StrictObject({
  claims: Type.Array(Claim, { description: 'Started and leased to the worker; empty: nothing now' }),
  state: CampaignState,
  done: Type.Boolean({
    description:
      'Nothing matches or will match unless something is put back: stop once the claimed experiments have ended',
  }),
  benched_until: Type.Optional(
    Described(
      Timestamp,
      'Nothing was claimed since the newest runs of the worker all failed, while others work: then it gets one experiment as a try',
    ),
  ),
  results: Type.Optional(
    Type.Array(ref(BatchResult), { description: 'The outcome of each report, in their order, if there were any' }),
  ),
})

const schema = {
  operationId: 'claimExperiments',
  tags: ['workers'],
  summary: 'Claim the next experiments to run',
  description:
    'Returns pending experiments in manifest order, then failed ones within their budgets; each is started and leased to ' +
    'the worker, durably, before the response. A worker whose newest runs all failed is benched: see `worker_failure_limit`. What the worker finished may come along as `reports`: it is counted first, in the ' +
    'same write, and does not wait; a claim that is refused counts none of it. Send the call again with its claim_id when the response ' +
    'is lost.',
  params: CampaignParams,
  querystring: StrictObject({ timezone: Timezone }),
  body: Envelope,
  response: responses('write', [...OF_CAMPAIGN, 'nothing-matches', 'claim-id-used', 'too-many-waiting'], {
    200: { description: 'What the worker is to run', schema: ClaimResponse },
  }),
}

export const claimExperiments: Route = async (app, dependencies) => {
  const { campaigns } = dependencies.service
  const config = { role: 'work', documentedBody: ref(ClaimRequest) } as const
  const options = { bodyLimit: bodyLimits(dependencies.limits).many, config, schema }
  app.post('/campaigns/:campaign_id/claims', options, async (request, reply) => {
    const { campaign_id } = request.params
    const { reports: unread = [], ...claim } = request.body
    const actor = actorOf(request)
    const reports = unread.map((report) => readReport(request, report))
    const reported = reports.map(reportName)
    const counting = { reports, timezone: timezoneOf(request.query), actor }
    const first =
      reports.length === 0 ? null : counted(request, await campaigns.reportAndClaim(campaign_id, claim, counting))
    const { wait_seconds = 0 } = claim
    if (first !== null && (wait_seconds === 0 || !mayWait(first))) return toResponse(reply, first)
    // A claim that waits keeps nothing of its body, and no other body waits for it.
    request.letGoOfBody()
    reports.length = 0
    const wait = () =>
      longPoll(
        reply,
        dependencies,
        wait_seconds,
        (waiting) => campaigns.claim(campaign_id, claim, { wait: waiting, actor, reported }),
        (result) => result.claims.length > 0,
      )
    if (first === null) return toResponse(reply, await wait())
    return toResponse(reply, { ...first, ...(await orNothing(request, reply, wait)) })
  })
}

/** Bytes of outcomes up to which a claim waits: thousands may wait, and each keeps its own. */
const LONG = 64 * 1024

interface Counted extends ClaimResult {
  /** A JSON list. */
  readonly outcomes: Buffer
}

/** As bytes: while the claim waits nothing else of its reports is kept. */
function counted(request: FastifyRequest, { results, ...standing }: ReportingClaimResult): Counted {
  const instance = pathOf(request).replace(/claims$/, 'experiments')
  return { ...standing, outcomes: Buffer.from(JSON.stringify(results.map((one) => batchResult(one, instance)))) }
}

function mayWait({ claims, done, outcomes }: Counted): boolean {
  return claims.length === 0 && !done && outcomes.length <= LONG
}

/** What was reported is counted: that the claim fails after it must not be the response to it. */
async function orNothing(
  request: FastifyRequest,
  reply: FastifyReply,
  wait: () => Promise<ClaimResult>,
): Promise<ClaimResult | null> {
  try {
    return await wait()
  } catch (error) {
    request.log.warn({ request_id: request.id, err: error }, 'a claim that had reported could not wait')
    reply.removeHeader('www-authenticate')
    return null
  }
}

function toResponse(
  reply: FastifyReply,
  { claims, state, done, benchedUntil, outcomes }: ClaimResult & Partial<Counted>,
): Buffer | Readable {
  const benched_until = benchedUntil === null ? undefined : new Date(benchedUntil).toISOString()
  return jsonPieces(reply, objectPieces({ claims: claims.map(toClaim), state, done, benched_until, results: outcomes }))
}

function toClaim({ experiment, run_id, lease_expires_at, seconds_left }: GrantedClaim): typeof Claim.static {
  return {
    experiment,
    run_id,
    attempt: experiment.attempt,
    lease_seconds: experiment.lease?.seconds ?? 0,
    lease_expires_at,
    heartbeat_seconds: Math.round((seconds_left / HEARTBEATS) * 1000) / 1000,
  }
}
