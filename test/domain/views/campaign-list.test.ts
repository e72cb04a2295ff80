import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignHeader } from '#campaignd/domain/campaign/manifest.js'
import type { ExperimentStatus } from '#campaignd/domain/experiment/status.js'
import {
  CAMPAIGN_SORTS,
  type CampaignQuery,
  type CorruptCampaign,
  type ListedCampaign,
  pageOfCampaigns,
  summaryOf,
} from '#campaignd/domain/views/campaign-list.js'
import { progressOf } from '#campaignd/domain/views/progress.js'
import { campaignOf } from '../../support/campaigns/drafts.js'

type Listed = Campaign | CorruptCampaign

const ALL: CampaignQuery = { labels: [], sort: 'campaign_name', limit: 1000 }

function campaign(campaign_id: string, header: Partial<CampaignHeader> = {}, status: ExperimentStatus = 'pending') {
  return campaignOf([{ status }], { campaign_id, campaign_name: `the ${campaign_id}`, ...header })
}

function corrupt(campaign_id: string, given: Partial<CorruptCampaign> = {}): CorruptCampaign {
  const time = '2026-02-01T08:00:00Z'
  return {
    campaign_id,
    campaign_name: campaign_id,
    created_at: time,
    updated_at: time,
    state: 'corrupt',
    reason: 'not JSON',
    ...given,
  }
}

function ids(campaigns: readonly ListedCampaign[]): string[] {
  return campaigns.map(({ campaign_id }) => campaign_id)
}

/** The ids on each page, one page after the other. */
function throughAllPages(all: readonly Listed[], query: CampaignQuery): string[][] {
  const { campaigns, next } = pageOfCampaigns(all, query)
  return [ids(campaigns), ...(next === null ? [] : throughAllPages(all, { ...query, after: next }))]
}

test('a listed campaign is its header, its state and its progress, without its experiments', () => {
  const one = campaign('sweep', {}, 'running')
  const summary = { ...one.header, state: 'running', progress: progressOf(one) }
  expect(summaryOf(one)).toEqual(summary)
  expect(pageOfCampaigns([one], ALL)).toEqual({ campaigns: [summary], next: null })
})

test('a campaign whose file is corrupt is listed as it is', () => {
  expect(pageOfCampaigns([corrupt('torn')], ALL)).toEqual({ campaigns: [corrupt('torn')], next: null })
})

describe('the list', () => {
  const CAMPAIGNS: readonly Listed[] = [
    campaign(
      'a',
      { campaign_name: 'Llama precision sweep', labels: { team: 'inference', model: 'llama3' } },
      'running',
    ),
    campaign('b', { campaign_name: 'mistral precision sweep', labels: { team: 'inference' } }, 'completed'),
    campaign('c', { campaign_name: 'smoke', labels: { team: 'training' } }, 'failed'),
    corrupt('torn-sweep'),
  ]

  test.each<[Partial<CampaignQuery>, string[]]>([
    [{}, ['a', 'b', 'c', 'torn-sweep']],
    [{ state: 'running' }, ['a']],
    [{ state: 'completed' }, ['b']],
    [{ state: 'failed' }, ['c']],
    [{ state: 'corrupt' }, ['torn-sweep']],
    [{ state: 'paused' }, []],
    [{ name: 'sweep' }, ['a', 'b', 'torn-sweep']],
    [{ name: 'llama PRECISION' }, ['a']],
    [{ name: 'lla?a' }, []],
    [{ labels: [['team', 'inference']] }, ['a', 'b']],
    [
      {
        labels: [
          ['team', 'inference'],
          ['model', 'llama3'],
        ],
      },
      ['a'],
    ],
    [{ labels: [['team', 'infer']] }, []],
    [{ labels: [['constructor', 'Object']] }, []],
    [{ name: 'sweep', state: 'completed', labels: [['team', 'inference']] }, ['b']],
  ])('the list of %j is %j', (filter, expected) => {
    expect(ids(pageOfCampaigns(CAMPAIGNS, { ...ALL, ...filter }).campaigns).sort()).toEqual(expected)
  })
})

describe('the order', () => {
  const CAMPAIGNS: readonly Listed[] = [
    campaign('a', { campaign_name: 'z', created_at: '2026-02-01T08:00:00.5Z', updated_at: '2026-02-02T08:00:00Z' }),
    campaign('b', { campaign_name: 'x', created_at: '2026-02-01T08:00:00Z', updated_at: '2026-02-02T08:00:00.25Z' }),
    corrupt('c', { campaign_name: 'y', created_at: '2026-02-01T09:00:00Z', updated_at: '2026-02-02T08:00:00.5Z' }),
    campaign('d', { campaign_name: 'x', created_at: '2026-02-01T08:00:00Z', updated_at: '2026-02-02T08:00:00.25Z' }),
  ]

  test.each([
    ['-updated_at', ['c', 'b', 'd', 'a']],
    ['created_at', ['b', 'd', 'a', 'c']],
    ['campaign_name', ['b', 'd', 'c', 'a']],
  ] as const)('the order by %s is %j, equal ones by id', (sort, expected) => {
    expect(ids(pageOfCampaigns(CAMPAIGNS, { ...ALL, sort }).campaigns)).toEqual(expected)
    expect(ids(pageOfCampaigns(CAMPAIGNS.toReversed(), { ...ALL, sort }).campaigns)).toEqual(expected)
  })
})

describe('pages', () => {
  const time = fc.constantFrom('2026-02-01T08:00:00Z', '2026-02-01T08:00:00.5Z', '2026-02-01T09:00:00Z')
  const fields = fc.record({
    campaign_id: fc.stringMatching(/^[a-c][a-c0-9]{0,3}$/),
    campaign_name: fc.constantFrom('sweep', 'Sweep', 'smoke'),
    created_at: time,
    updated_at: time,
  })
  const listed = fc
    .tuple(fields, fc.boolean())
    .map(([header, torn]): Listed =>
      torn ? corrupt(header.campaign_id, header) : campaign(header.campaign_id, header),
    )
  const someCampaigns = fc.uniqueArray(listed, {
    selector: (one) => ('header' in one ? one.header : one).campaign_id,
    maxLength: 20,
  })
  const sort = fc.constantFrom(...CAMPAIGN_SORTS)

  test('pages one after the other are the whole list, and all but the last are full', () => {
    fc.assert(
      fc.property(someCampaigns, sort, fc.integer({ min: 1, max: 7 }), (all, by, limit) => {
        const whole = ids(pageOfCampaigns(all, { ...ALL, sort: by }).campaigns)
        const pages = throughAllPages(all, { ...ALL, sort: by, limit })
        expect(whole).toHaveLength(all.length)
        expect(pages).toHaveLength(Math.max(1, Math.ceil(all.length / limit)))
        expect(pages.flat()).toEqual(whole)
        for (const page of pages.slice(0, -1)) expect(page).toHaveLength(limit)
      }),
    )
  })

  test('pages of a filtered list are the whole filtered list', () => {
    fc.assert(
      fc.property(someCampaigns, sort, fc.integer({ min: 1, max: 7 }), (all, by, limit) => {
        const query = { ...ALL, sort: by, name: 'sweep', state: 'pending' as const }
        const whole = ids(pageOfCampaigns(all, query).campaigns)
        expect(throughAllPages(all, { ...query, limit }).flat()).toEqual(whole)
      }),
    )
  })

  test('pages miss none and repeat none when the campaign at the end of a page is deleted', () => {
    const all = ['a', 'b', 'c', 'd'].map((id) => campaign(id))
    const { next } = pageOfCampaigns(all, { ...ALL, limit: 2 })
    if (next === null) throw new Error('there is a second page')
    expect(ids(pageOfCampaigns(all.toSpliced(1, 1), { ...ALL, limit: 2, after: next }).campaigns)).toEqual(['c', 'd'])
  })
})
