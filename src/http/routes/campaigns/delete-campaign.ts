import { Type } from '@sinclair/typebox'
import { StrictObject } from '../../../domain/schema.ts'
import type { Route } from '../../dependencies.ts'
import { responses } from '../../openapi/responses.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { CampaignParams, IfMatch } from '../../requests/parameters.ts'

const force = Type.Boolean({ description: 'Even while experiments run; a corrupt file is moved aside. Default: false' })

const schema = {
  operationId: 'deleteCampaign',
  tags: ['campaigns'],
  summary: 'Delete a campaign',
  params: CampaignParams,
  headers: IfMatch,
  querystring: StrictObject({ force: Type.Optional(force) }),
  response: responses('write', ['campaign-not-found', 'campaign-running', 'campaign-corrupt', 'precondition-failed'], {
    204: { description: 'Deleted', schema: null },
  }),
}

export const deleteCampaign: Route = async (app, { service }) => {
  app.delete('/campaigns/:campaign_id', { config: { role: 'admin' }, schema }, async (request, reply) => {
    const { params, query } = request
    await service.campaigns.delete(params.campaign_id, {
      force: query.force === true,
      precondition: preconditionOf(request),
    })
    reply.code(204)
  })
}
