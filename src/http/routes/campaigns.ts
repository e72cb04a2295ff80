import { createHash, randomBytes } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import {
  CAMPAIGN_SORTS,
  CampaignSummary,
  CorruptCampaign,
  type CampaignQuery,
  type ListedCampaign,
} from '../../domain/campaign-list.ts'
import type { Campaign } from '../../domain/campaign.ts'
import { createManifest } from '../../domain/create-campaign.ts'
import type { CampaignDraft } from '../../domain/draft.ts'
import { DomainError } from '../../domain/errors.ts'
import { type CampaignPatch, patchCampaign } from '../../domain/patch-campaign.ts'
import { CampaignState } from '../../domain/campaign-state.ts'
import { encodeForPythonTool } from '../../domain/python-tool-manifest.ts'
import { StringEnum } from '../../domain/schema.ts'
import { RepositoryError, type ManifestRepository } from '../../repository/repository.ts'
import { answers } from '../answers.ts'
import type { RouteDependencies } from '../app.ts'
import { campaignTag, ifMatch, isKnown, requireMatch } from '../entity-tag.ts'
import { pageToken, readPageToken } from '../page-token.ts'
import { invalidParameter } from '../problem.ts'
import {
  CampaignParams,
  DEFAULT_LIMIT,
  IfMatch,
  IfNoneMatch,
  NextPageToken,
  pageProperties,
  Timezone,
  timezoneOf,
} from './parameters.ts'

const ManifestRef = Type.Ref('CampaignManifest')
const EitherManifest = Type.Unsafe<unknown>({ anyOf: [ManifestRef, Type.Ref('PythonToolManifest')] })
const manifest = { schema: ManifestRef, headers: ['etag'] as const }

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
      Type.Unsafe<ListedCampaign>({
        anyOf: [Type.Ref(CampaignSummary.$id ?? ''), Type.Ref(CorruptCampaign.$id ?? '')],
      }),
    ),
    next_page_token: NextPageToken,
  },
  { additionalProperties: false },
)

const Position = Type.Object({ key: Type.String(), campaign_id: Type.String() }, { additionalProperties: false })

export const campaignRoutes: FastifyPluginAsyncTypebox<RouteDependencies> = async (
  app,
  { repository, now, bodyLimit },
) => {
  app.post(
    '/campaigns',
    {
      bodyLimit,
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
        response: answers({
          success: {
            200: { description: 'It was there already, with this definition', ...manifest },
            201: { description: 'Created', schema: ManifestRef, headers: ['etag', 'location'] },
          },
          kind: 'write-with-body',
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
      const { campaign, created } = await createOrFind(repository, createManifest(request.body, creation))
      const id = campaign.header.campaign_id
      if (created) reply.code(201).header('location', `/v1/campaigns/${id}`)
      return sendManifest(repository, id, reply)
    },
  )

  app.get(
    '/campaigns',
    {
      schema: {
        operationId: 'listCampaigns',
        tags: ['campaigns'],
        summary: 'Find campaigns',
        headers: IfNoneMatch,
        querystring: ListQuery,
        response: answers({
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
      if (isKnown(request, reply, tag)) return reply.code(304).send()
      return reply.type('application/json; charset=utf-8').send(body)
    },
  )

  app.get(
    '/campaigns/:campaign_id',
    {
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
        response: answers({
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
      const campaign = await repository.read(campaign_id)
      if (isKnown(request, reply, campaignTag(campaign))) return reply.code(304).send()
      if (request.query.format === undefined) return sendManifest(repository, campaign_id, reply)
      return reply.type('application/json; charset=utf-8').send(encodeForPythonTool(campaign.toManifest(), timezone))
    },
  )

  app.patch(
    '/campaigns/:campaign_id',
    {
      schema: {
        operationId: 'patchCampaign',
        tags: ['campaigns'],
        summary: 'Change name, settings or labels',
        params: CampaignParams,
        headers: IfMatch,
        body: Type.Unsafe<CampaignPatch>(Type.Ref('CampaignPatch')),
        response: answers({
          success: { 200: { description: 'The manifest as it is then', ...manifest } },
          kind: 'write-with-body',
          problems: ['campaign-not-found', 'campaign-corrupt', 'precondition-failed'],
        }),
      },
    },
    async (request, reply) => {
      const { campaign_id } = request.params
      const at = now()
      await repository.update(
        campaign_id,
        ifMatch(request, campaignTag, (campaign) => patchCampaign(campaign, request.body, at)),
      )
      return sendManifest(repository, campaign_id, reply)
    },
  )

  app.delete(
    '/campaigns/:campaign_id',
    {
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
        response: answers({
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
      return reply.code(204).send()
    },
  )
}

/** Creates the campaign, or finds the one of the same id if it has the same definition. */
async function createOrFind(
  repository: ManifestRepository,
  wanted: ReturnType<typeof createManifest>,
): Promise<{ readonly campaign: Campaign; readonly created: boolean }> {
  try {
    return { campaign: await repository.create(wanted), created: true }
  } catch (error) {
    if (!(error instanceof RepositoryError) || error.code !== 'campaign-exists') throw error
    const campaign = await repository.read(wanted.campaign_id)
    if (campaign.header.definition_digest === wanted.definition_digest) return { campaign, created: false }
    const detail = `There is a campaign ${wanted.campaign_id} already, with another definition.`
    throw new DomainError('campaign-exists', detail)
  }
}

async function sendManifest(repository: ManifestRepository, id: string, reply: FastifyReply): Promise<unknown> {
  const { campaign, bytes } = await repository.readDocument(id)
  reply.header('etag', campaignTag(campaign)).type('application/json; charset=utf-8')
  return reply.send(Buffer.concat(bytes))
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

function refuseIfRunning({ header, tally }: Campaign): void {
  const { running } = tally.counts
  if (running === 0) return
  const detail = `${running} experiments of campaign ${header.campaign_id} are running.`
  throw new DomainError('campaign-running', detail)
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}
