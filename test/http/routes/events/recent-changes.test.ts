import { expect, test } from 'vitest'
import { openCampaign } from '../../../support/campaigns/campaign.js'
import { campaignDraft } from '../../../support/campaigns/drafts.js'
import type { EventReader } from '../../../support/http/event-reader.js'
import { follow } from '../../../support/http/open-reader.js'

function followAll(url: string, lastEventId?: string): Promise<EventReader> {
  return follow(`${url}/v1/events`, lastEventId)
}

test('a reader of all campaigns that comes back gets each campaign that changed once, as it is now', async () => {
  const campaign = await openCampaign(3)
  const url = await campaign.listen()
  for (const campaign_id of ['other', 'untouched']) {
    await campaign.call('POST', '/v1/campaigns', { body: campaignDraft(1, { campaign_id }) })
  }
  const first = await followAll(url)
  first.close()
  for (const exp_id of ['0001', '0002', '0003']) await campaign.report(exp_id, { status: 'running' })
  await campaign.call('DELETE', '/v1/campaigns/other')
  await campaign.report('0001', { status: 'completed' })
  const second = await followAll(url, first.events[0]?.id ?? '')
  const progress: unknown = (await campaign.call('GET', `${campaign.path}/progress`)).json()
  expect((await second.count(2)).map(({ event, data }) => ({ event, ...data }))).toEqual([
    { event: 'deleted', campaign_id: 'other' },
    { event: 'change', campaign_id: 'sweep', revision: 5, previous_revision: 4, progress },
  ])
  await campaign.report('0002', { status: 'completed' })
  expect((await second.count(3)).at(-1)).toMatchObject({ event: 'change', data: { revision: 6 } })
})

test('a reader of all campaigns with an id of another run, or not used yet, gets a snapshot with reset', async () => {
  const campaign = await openCampaign(3)
  const url = await campaign.listen()
  const first = await followAll(url)
  await campaign.report('0001', { status: 'running' })
  const id = (await first.count(2)).at(-1)?.id ?? ''
  first.close()
  const unused = id.replace(/\d+$/, (sequence) => String(Number(sequence) + 1))
  const future = await followAll(url, unused)
  expect(future.events[0]).toMatchObject({ event: 'snapshot', id, data: { reset: true } })
  future.close()
  await campaign.restart()
  const second = await followAll(await campaign.listen(), id)
  expect(second.events[0]).toMatchObject({ event: 'snapshot', data: { reset: true } })
})
