import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Campaign } from '#campaignd/domain/campaign/campaign.js'
import type { CampaignHeader } from '#campaignd/domain/campaign/manifest.js'
import {
  CAMPAIGN_SORTS,
  type CampaignQuery,
  type CorruptCampaign,
  type ListedCampaign,
  pageOfCampaigns,
} from '#campaignd/domain/views/campaign-list.js'
import { campaignOf } from '../../support/campaigns/drafts.js'

type Listed = Campaign | CorruptCampaign

const ALL: CampaignQuery = { labels: [], sort: 'campaign_name', limit: 1000 }

function campaign(campaign_id: string, header: Partial<CampaignHeader>): Campaign {
  return campaignOf([{}], { ...header, campaign_id })
}

function corrupt(campaign_id: string, given: Partial<CorruptCampaign>): CorruptCampaign {
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

  test.each<Partial<CampaignQuery>>([{}, { name: 'sweep', state: 'pending' }])(
    'pages one after the other are the whole list of %j, and all but the last are full',
    (filter) => {
      fc.assert(
        fc.property(someCampaigns, sort, fc.integer({ min: 1, max: 7 }), (all, by, limit) => {
          const query = { ...ALL, ...filter, sort: by }
          const whole = ids(pageOfCampaigns(all, query).campaigns)
          const pages = throughAllPages(all, { ...query, limit })
          expect(pages).toHaveLength(Math.max(1, Math.ceil(whole.length / limit)))
          expect(pages.flat()).toEqual(whole)
          for (const page of pages.slice(0, -1)) expect(page).toHaveLength(limit)
          if (filter.name === undefined) expect(whole).toHaveLength(all.length)
        }),
      )
    },
  )
})
