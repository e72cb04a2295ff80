import { Type } from '@sinclair/typebox'
import type { Campaign } from '../../../domain/campaign/campaign.ts'
import { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { CampaignPatch } from '../../../domain/operations/patch-campaign.ts'
import { ref, StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { manifestReply } from '../../replies/manifest.ts'
import { CampaignParams, IfMatch } from '../../requests/parameters.ts'

const cancel_running = Type.Boolean({
  description:
    'While it is paused: the response to the next heartbeat tells workers to stop, and what they report as interrupted goes back ' +
    'to pending. False takes it back; left out it stays',
})

const schema = {
  operationId: 'patchCampaign',
  tags: ['campaigns'],
  summary: 'Change name, settings or labels, or archive it',
  params: CampaignParams,
  headers: IfMatch,
  querystring: StrictObject({ cancel_running: Type.Optional(cancel_running) }),
  body: ref(CampaignPatch),
  response: responses('write', [...OF_CAMPAIGN, 'precondition-failed'], {
    200: {
      description: 'The manifest after the change',
      schema: ref(CampaignManifest),
      headers: ['etag', 'runs-without-lease'],
    },
  }),
}

export const patchCampaign: Route = async (app, dependencies) => {
  const { campaigns } = dependencies.service
  app.patch('/campaigns/:campaign_id', { config: { role: 'admin' }, schema }, async (request, reply) => {
    const { params, query, body } = request
    const options = { precondition: preconditionOf(request), cancelRunning: query.cancel_running }
    const patched = await campaigns.patch(params.campaign_id, body, options)
    if (query.cancel_running === true) reply.header('runs-without-lease', runsWithoutLease(patched.campaign))
    return manifestReply(reply, dependencies, patched)
  })
}

/** Of an orchestrator that claims nothing: whoever stops a campaign must stop those by other means. */
function runsWithoutLease(campaign: Campaign): number {
  let count = 0
  for (const { lease } of campaign.inStatus('running')) if (lease === null) count += 1
  return count
}
