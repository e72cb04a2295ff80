import { Type } from '@sinclair/typebox'
import { headerProperties } from '../../../domain/campaign/manifest.ts'
import { configDiffProperties, ResumeRequest } from '../../../domain/operations/resume.ts'
import { ref, StrictObject, StringEnum } from '../../../domain/schema.ts'
import { StatusCounts } from '../../../domain/views/progress.ts'
import type { Route } from '../../dependencies.ts'
import { actorOf } from '../../guards/authentication.ts'
import { bodyLimits } from '../../limits.ts'
import { OF_CAMPAIGN, responses } from '../../openapi/responses.ts'
import { preconditionOf } from '../../replies/entity-tag.ts'
import { jsonPieces, objectPieces } from '../../replies/pieces.ts'
import { optionalBody } from '../../requests/json-body.ts'
import { CampaignParams, IfMatch, NoQuery } from '../../requests/parameters.ts'

const Resumed = StrictObject(
  {
    ...configDiffProperties,
    plan: Type.Array(
      StrictObject({
        exp_id: Type.String({ description: 'Which experiment' }),
        action: StringEnum(['skip', 'keep', 'run'], {
          description: '`skip`: it will not run. `keep`: it runs already. `run`: it will run',
        }),
        reason: Type.String({ description: 'Why, for people' }),
      }),
      { description: 'Every experiment, in manifest order' },
    ),
    remaining: Type.Array(Type.String(), { description: 'Ids that will run, in manifest order' }),
    counts: ref(StatusCounts),
    revision: headerProperties.revision,
  },
  {
    examples: [
      {
        ...{ config_changed: false, changed: [], added: [], removed: [] },
        plan: [
          { exp_id: '0001', action: 'skip', reason: 'completed' },
          { exp_id: '0002', action: 'run', reason: 'running without a lease: its orchestrator is gone' },
        ],
        remaining: ['0002'],
        counts: { pending: 1, running: 0, completed: 1, failed: 0, skipped: 0 },
        revision: 28,
      },
    ],
  },
)

const schema = {
  operationId: 'resumeCampaign',
  tags: ['resume'],
  summary: 'Continue after an interruption',
  description:
    'Puts back to pending what failed and what no worker runs any more; the response says what will run and why. Without ' +
    'a body: with the defaults. May be repeated.',
  params: CampaignParams,
  headers: IfMatch,
  querystring: NoQuery,
  body: ref(ResumeRequest),
  response: responses('write', [...OF_CAMPAIGN, 'config-changed', 'precondition-failed'], {
    200: { description: 'The plan, which is carried out', schema: Resumed },
  }),
}

export const resumeCampaign: Route = async (app, { service, limits }) => {
  app.post(
    '/campaigns/:campaign_id/resume',
    {
      ...{ preValidation: optionalBody, bodyLimit: bodyLimits(limits).many },
      ...{ config: { role: 'work', isBodyOptional: true }, schema },
    },
    async (request, reply) => {
      const { params, body } = request
      const options = { precondition: preconditionOf(request), actor: actorOf(request) }
      return jsonPieces(reply, objectPieces(await service.campaigns.resume(params.campaign_id, body, options)))
    },
  )
}
