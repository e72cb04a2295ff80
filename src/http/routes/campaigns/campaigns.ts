import { createHash, randomBytes } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CAMPAIGN_SORTS, type CampaignQuery, type ListedCampaign } from '../../../domain/views/campaign-list.ts'
import type { Campaign } from '../../../domain/campaign/campaign.ts'
import type { CampaignManifest } from '../../../domain/campaign/manifest.ts'
import { refuseTooMany } from '../../../domain/campaign/campaign-size.ts'
import { createManifest } from '../../../domain/operations/create.ts'
import type { CampaignDraft } from '../../../domain/operations/draft.ts'
import { DomainError } from '../../../domain/errors.ts'
import { encodeManifest } from '../../../domain/formats/manifest-json.ts'
import { CampaignState } from '../../../domain/campaign/campaign-state.ts'
import { StringEnum } from '../../../domain/schema.ts'
import { RepositoryError, type CampaignStore, type RepositoryErrorCode } from '../../../repository/campaign-store.ts'
import { responses } from '../../openapi/responses.ts'
import type { RouteDependencies } from '../../app.ts'
import { campaignTag, isKnown } from '../../replies/entity-tag.ts'
import { jsonReply } from '../../replies/json.ts'
import { pageToken, readPageToken } from '../../replies/page-token.ts'
import { invalidParameter } from '../../problems/problem.ts'
import {
  DEFAULT_LIMIT,
  IfNoneMatch,
  NextPageToken,
  pageProperties,
  Timezone,
  timezoneOf,
} from '../../requests/parameters.ts'

const ManifestRef = Type.Ref('CampaignManifest')

const ListQuery = Type.Object(
  {
    state: Type.Optional(CampaignState),
    name: Type.Optional(Type.String({ maxLength: 512, description: 'Part of the name, in any case' })),
    label: Type.Optional(
      Type.Array(Type.String({ maxLength: 2048 }), {
        maxItems: 20,
        description: 'A label that must be there, as `key:value`; may be repeated',
        examples: [['team:inference']],
      }),
    ),
    sort: Type.Optional(StringEnum(CAMPAIGN_SORTS, { description: 'Order. Default: -updated_at, newest first' })),
    ...pageProperties,
  },
  { additionalProperties: false },
)

const CampaignList = Type.Object(
  {
    campaigns: Type.Array(
      Type.Unsafe<ListedCampaign>({ anyOf: [Type.Ref('CampaignSummary'), Type.Ref('CorruptCampaign')] }),
    ),
    next_page_token: NextPageToken,
  },
  { additionalProperties: false },
)

const Position = Type.Object({ key: Type.String(), campaign_id: Type.String() }, { additionalProperties: false })

export const campaignsRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (
  app,
  { repository, now, limits },
) => {
  app.post(
    '/campaigns',
    {
      bodyLimit: limits.bodyLimit,
      config: { role: 'admin' },
      schema: {
        operationId: 'createCampaign',
        tags: ['campaigns'],
        summary: 'Create or import a campaign',
        description:
          'May be repeated: the same id with the same definition answers 200 and the campaign as it stands. With an ' +
          'Idempotency-Key the same holds for a made-up id.',
        headers: Type.Object({
          'idempotency-key': Type.Optional(
            Type.String({ minLength: 1, maxLength: 255, description: 'Makes up the same campaign_id every time' }),
          ),
        }),
        querystring: Type.Object({ timezone: Timezone }, { additionalProperties: false }),
        body: Type.Unsafe<CampaignDraft>(Type.Ref('CampaignDraft')),
        response: responses({
          success: {
            200: { description: 'It was there already, with this definition', schema: ManifestRef, headers: ['etag'] },
            201: { description: 'Created', schema: ManifestRef, headers: ['etag', 'location'] },
          },
          kind: 'write',
          problems: ['campaign-exists', 'campaign-corrupt'],
        }),
      },
    },
    async (request, reply) => {
      const key = request.headers['idempotency-key']
      const creation = {
        now: now(),
        timezone: timezoneOf(request.query),
        uid: randomBytes(8).toString('hex'),
        idSuffix: key === undefined ? randomBytes(4).toString('hex') : hashOf(key),
      }
      refuseTooMany(request.body, limits)
      const { campaign, created } = await createOrFind(repository, createManifest(request.body, creation))
      if (created) reply.code(201).header('location', `/v1/campaigns/${campaign.header.campaign_id}`)
      return jsonReply(reply.header('etag', campaignTag(campaign)), encodeManifest(campaign))
    },
  )

  app.get(
    '/campaigns',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'listCampaigns',
        tags: ['campaigns'],
        summary: 'Find campaigns',
        headers: IfNoneMatch,
        querystring: ListQuery,
        response: responses({
          success: {
            200: { description: 'A page of campaigns', schema: CampaignList, headers: ['etag'] },
            304: { description: 'As you know it', schema: null },
          },
          kind: 'read',
        }),
      },
    },
    async (request, reply) => {
      const { campaigns, next } = await repository.list(campaignQuery(request.query))
      const body = JSON.stringify({ campaigns, next_page_token: next === null ? null : pageToken(next) })
      const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
      if (isKnown(request, reply, tag)) return undefined
      return jsonReply(reply, body)
    },
  )
}

/**
 * Creates the campaign, or finds the one of the same id if it has the same definition.
 * @throws DomainError `campaign-exists` when it has another one
 */
async function createOrFind(
  repository: CampaignStore,
  wanted: CampaignManifest,
): Promise<{ readonly campaign: Campaign; readonly created: boolean }> {
  try {
    return { campaign: await repository.create(wanted), created: true }
  } catch (error) {
    if (!isRefusal(error, 'campaign-exists')) throw error
  }
  const campaign = await repository.read(wanted.campaign_id).catch((error: unknown) => {
    if (isRefusal(error, 'campaign-not-found')) return null
    throw error
  })
  // Deleted since it was in the way: the next try creates it.
  if (campaign === null) return createOrFind(repository, wanted)
  if (campaign.header.definition_digest === wanted.definition_digest) return { campaign, created: false }
  throw new DomainError(
    'campaign-exists',
    `There is a campaign ${wanted.campaign_id} already, with another definition.`,
  )
}

function isRefusal(error: unknown, code: RepositoryErrorCode): boolean {
  return error instanceof RepositoryError && error.code === code
}

function campaignQuery({
  label = [],
  sort = '-updated_at',
  limit = DEFAULT_LIMIT,
  page_token,
  ...filter
}: typeof ListQuery.static): CampaignQuery {
  const after = page_token === undefined ? {} : { after: readPageToken(page_token, Position) }
  return { ...filter, labels: label.map(readLabel), sort, limit, ...after }
}

function readLabel(label: string): [string, string] {
  const colon = label.indexOf(':')
  if (colon === -1) throw invalidParameter('query', 'label', `is ${JSON.stringify(label)}, but must be key:value`)
  return [label.slice(0, colon), label.slice(colon + 1)]
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}
