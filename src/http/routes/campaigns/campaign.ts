import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Campaign } from '../../../domain/campaign/campaign.ts'
import { DomainError } from '../../../domain/errors.ts'
import { encodeManifest } from '../../../domain/formats/manifest-json.ts'
import { type CampaignPatch, patchCampaign } from '../../../domain/operations/patch-campaign.ts'
import { encodeForPythonTool } from '../../../domain/formats/python-tool-manifest.ts'
import { StringEnum } from '../../../domain/schema.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { campaignTag, ifMatch, isKnown, requireMatch } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { CampaignParams, IfMatch, IfNoneMatch, Timezone, timezoneOf } from '../../requests/parameters.ts'

const ManifestRef = Type.Ref('CampaignManifest')
const EitherManifest = Type.Unsafe<unknown>({ anyOf: [ManifestRef, Type.Ref('PythonToolManifest')] })

export const campaignRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (
  app,
  { repository, now, limits },
) => {
  app.get(
    '/campaigns/:campaign_id',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'getCampaign',
        tags: ['campaigns'],
        summary: 'The manifest, byte for byte as it is committed',
        params: CampaignParams,
        headers: IfNoneMatch,
        querystring: Type.Object(
          {
            format: Type.Optional(
              StringEnum(['llenergymeasure'], {
                description: 'Keys, layout and naive times of the Python tool, instead of ours',
              }),
            ),
            timezone: Timezone,
          },
          { additionalProperties: false },
        ),
        response: responses({
          success: {
            200: { description: 'The manifest', schema: EitherManifest, headers: ['etag'] },
            304: { description: 'As you know it', schema: null },
          },
          kind: 'read',
          problems: ['campaign-not-found', 'campaign-corrupt'],
        }),
      },
    },
    async (request, reply) => {
      const { campaign_id } = request.params
      const timezone = timezoneOf(request.query)
      const { campaign, bytes } = await repository.readDocument(campaign_id)
      if (isKnown(request, reply, campaignTag(campaign))) return undefined
      if (request.query.format !== undefined)
        return jsonReply(reply, encodeForPythonTool(campaign.toManifest(), timezone))
      return jsonReply(reply, bytes.whole)
    },
  )

  app.patch(
    '/campaigns/:campaign_id',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'patchCampaign',
        tags: ['campaigns'],
        summary: 'Change name, settings or labels',
        params: CampaignParams,
        headers: IfMatch,
        querystring: Type.Object(
          {
            cancel_running: Type.Optional(
              Type.Boolean({
                description:
                  'With `paused`: tell the workers that run something to stop, in the answer to their next heartbeat. Default: false',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        body: Type.Unsafe<CampaignPatch>(Type.Ref('CampaignPatch')),
        response: responses({
          success: { 200: { description: 'The manifest as it is then', schema: ManifestRef, headers: ['etag'] } },
          kind: 'write',
          problems: ['campaign-not-found', 'campaign-corrupt', 'precondition-failed'],
        }),
      },
    },
    async (request, reply) => {
      const { campaign_id } = request.params
      const at = now()
      const patch = request.query.cancel_running === true ? withCancel(request.body) : request.body
      const campaign = await repository.update(
        campaign_id,
        ifMatch(request, campaignTag, (before) => patchCampaign(before, patch, at, limits)),
      )
      return jsonReply(reply.header('etag', campaignTag(campaign)), encodeManifest(campaign))
    },
  )

  app.delete(
    '/campaigns/:campaign_id',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'deleteCampaign',
        tags: ['campaigns'],
        summary: 'Delete a campaign',
        params: CampaignParams,
        headers: IfMatch,
        querystring: Type.Object(
          {
            force: Type.Optional(
              Type.Boolean({ description: 'Even while something runs; a corrupt file is moved aside. Default: false' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: responses({
          success: { 204: { description: 'Deleted', schema: null } },
          kind: 'write',
          problems: ['campaign-not-found', 'campaign-running', 'campaign-corrupt', 'precondition-failed'],
        }),
      },
    },
    async (request, reply) => {
      const force = request.query.force === true
      await repository.delete(request.params.campaign_id, {
        force,
        permit: (campaign) => {
          requireMatch(request, campaignTag(campaign))
          if (!force) refuseIfRunning(campaign)
        },
      })
      reply.code(204)
    },
  )
}

function withCancel({ settings, ...patch }: CampaignPatch): CampaignPatch {
  return { ...patch, settings: { ...settings, cancel_running: true } }
}

function refuseIfRunning({ header, counts }: Campaign): void {
  const { running } = counts.by_status
  if (running === 0) return
  const detail = `${running} experiments of campaign ${header.campaign_id} are running.`
  throw new DomainError('campaign-running', detail)
}
