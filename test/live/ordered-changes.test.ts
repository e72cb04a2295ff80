import { expect, test } from 'vitest'
import type { Campaign } from '#campaignd/domain/campaign/campaign.js'
import { OrderedChanges } from '#campaignd/live/ordered-changes.js'
import type { CampaignChange } from '#campaignd/repository/campaign-store.js'
import { campaignOf } from '../support/campaigns/drafts.js'

/** So many that their events are not planned in one turn of the event loop. */
const MANY = 30_000

function changed(campaign: Campaign, revision: number, count: number): CampaignChange {
  const experiments = [...campaign.experiments].slice(0, count)
  return { type: 'changed', campaign, encoded: null, previous_revision: revision - 1, experiments, shrunk: 0 }
}

test('changes are published in their order, also after one of very many experiments', async () => {
  const campaign = campaignOf(Array.from({ length: MANY }, () => ({})))
  const log: string[] = []
  const changes = new OrderedChanges({
    hasReaders: () => true,
    publish: (change, events) => {
      const name = change.type === 'changed' ? `${change.previous_revision}` : change.type
      log.push(`${name}: ${(events?.frames.length ?? 0) > 1 ? 'parts' : (events?.frames.length ?? 'none')}`)
    },
  })
  changes.add(changed(campaign, 2, 1))
  expect(log).toEqual(['1: 1'])
  changes.add(changed(campaign, 3, MANY))
  changes.add(changed(campaign, 4, 1))
  changes.add(changed(campaign, 5, MANY))
  changes.add({ type: 'deleted', campaign_id: 'sweep' })
  expect(log).toEqual(['1: 1'])
  await changes.published()
  expect(log).toEqual(['1: 1', '2: parts', '3: 1', '4: parts', 'deleted: none'])
})

test('what nobody reads is not planned', () => {
  const campaign = campaignOf([{}])
  const log: unknown[] = []
  const changes = new OrderedChanges({ hasReaders: () => false, publish: (_change, events) => log.push(events) })
  changes.add(changed(campaign, 2, 1))
  expect(log).toEqual([null])
})
