import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { campaignDraft, experimentDraft } from '../support/campaigns/drafts.js'
import { accessibilityFaults, browserTest, useBrowser } from '../support/http/browser.js'
import { send } from '../support/http/client.js'
import { startCampaign, startService } from '../support/service/service.js'
import { testTokens, tokensFile } from '../support/service/tokens.js'

const browsing = useBrowser()
const QUICK = { environment: { CAMPAIGND_DURABILITY: 'os' } }

/** Waits until the page counts so many of a state. */
async function counts(page: Page, count: number, state: string): Promise<void> {
  await page.locator('.legend a', { hasText: new RegExp(`^${count} ${state}$`) }).waitFor()
}

browserTest('the dashboard shows every change at once, in the campaign and in the list', async () => {
  const { url, campaign, report } = await startCampaign(6, QUICK)
  const { page } = await browsing.open(url, '#/campaigns/sweep/grid')
  const { page: list } = await browsing.open(url, '')
  await counts(page, 6, 'pending')
  await report('0001', { status: 'running', worker: 'w' })
  await counts(page, 1, 'running')
  await list.locator('.state-tag', { hasText: 'running' }).waitFor()
  await report('0001', { status: 'failed', error: 'Exit code 1' })
  await counts(page, 1, 'failed')
  await page.locator('.views a', { hasText: 'Failures' }).click()
  await page.locator('.group', { hasText: 'Exit code 1' }).waitFor()
  await send('POST', `${url}/v1/campaigns`, campaignDraft(2, { campaign_id: 'next', campaign_name: 'the next one' }))
  await list.getByText('the next one').waitFor()
  expect(await list.locator('tbody tr').count()).toBe(2)
  await send('DELETE', `${url}/v1/campaigns/next`)
  await list.getByText('the next one').waitFor({ state: 'detached' })
  await send('DELETE', campaign)
  await page.getByText('The campaign was deleted while this page was open.').waitFor()
})

browserTest('the dashboard holds one stream, and none while the tab is hidden', async () => {
  const { url, report } = await startCampaign(6, QUICK)
  const { page } = await browsing.open(url, '#/campaigns/sweep/grid')
  await page.getByText('live').waitFor()
  const streams = watchStreams(page)
  await hide(page, true)
  await expect.poll(() => streams.ended).toBe(1)
  await report('0001', { status: 'running', worker: 'w' })
  await hide(page, false)
  await counts(page, 1, 'running')
  expect(streams.begun).toEqual([expect.stringMatching(/^[0-9a-f]{16}-1$/)])
  await page.goto(`${url}/#/`)
  await page.locator('table.campaigns').waitFor()
  await expect.poll(() => streams.ended).toBeGreaterThanOrEqual(2)
})

browserTest('the dashboard shows a cancel of which it is told together with a report', async () => {
  const { url, campaign, report } = await startCampaign(6, QUICK)
  const { page } = await browsing.open(url, '#/campaigns/sweep/grid')
  await page.getByRole('button', { name: 'Pause' }).waitFor()
  const streams = watchStreams(page)
  await page.getByText('live').waitFor()
  await hide(page, true)
  await expect.poll(() => streams.ended).toBeGreaterThanOrEqual(1)
  await send('PATCH', `${campaign}?cancel_running=true`, { settings: { paused: true } })
  await report('0001', { status: 'running', worker: 'w' })
  await hide(page, false)
  await page.getByRole('button', { name: 'Cancelling running experiments' }).waitFor()
  await counts(page, 1, 'running')
})

browserTest('the dashboard shows what happens between its reading of the progress and of the manifest', async () => {
  const { url, campaign, report } = await startCampaign(6, QUICK)
  const { page } = await browsing.open(url, '')
  const progress = page.waitForResponse((response) => response.url().endsWith('/campaigns/sweep/progress'))
  await page.route(campaign, async (route) => {
    await progress
    await report('0001', { status: 'running', worker: 'w' })
    await route.continue()
  })
  await page.goto(`${url}/#/campaigns/sweep/grid`)
  await counts(page, 1, 'running')
})

browserTest('the dashboard shows that it reconnects, and resumes after a restart of the service', async () => {
  const { url, report, end, dataDir } = await startCampaign(6, QUICK)
  const { page } = await browsing.open(url, '#/campaigns/sweep/grid', { expected: /net::ERR/ })
  await counts(page, 6, 'pending')
  await report('0001', { status: 'running', worker: 'w' })
  await counts(page, 1, 'running')
  await end('SIGKILL')
  await page.getByText('reconnecting').waitFor()
  await startService({ dataDir, environment: { CAMPAIGND_PORT: new URL(url).port } })
  await report('0001', { status: 'completed' })
  await counts(page, 1, 'completed')
  await page.locator('.live-badge.live').waitFor()
})

browserTest('the dashboard polls where streams are blocked', async () => {
  const { url, report } = await startCampaign(6, QUICK)
  const { page } = await browsing.open(url, '', { expected: /net::ERR/ })
  let polls = 0
  await page.route('**/progress', async (route) => {
    polls += Number(route.request().headers()['if-none-match'] !== undefined)
    await route.continue()
  })
  await page.route('**/events', (route) => route.abort())
  await page.goto(`${url}/#/campaigns/sweep/grid`)
  await page.locator('.live-badge.polling').waitFor()
  await report('0001', { status: 'running', worker: 'w' })
  await counts(page, 1, 'running')
  expect(polls).toBeGreaterThan(0)
})

browserTest('the dashboard retries what failed, and pauses and unpauses', async () => {
  const { url, campaign, report } = await startCampaign(6, QUICK)
  for (const id of ['0001', '0002']) await report(id, { status: 'failed', error: `rank ${id}: out of memory` })
  await report('0003', { status: 'failed', error: 'Exit code 1' })
  const { page } = await browsing.open(url, '#/campaigns/sweep')
  await page.locator('.group').first().getByRole('button', { name: 'Retry' }).click()
  await page.getByText('2 experiments put back to pending.').waitFor()
  await counts(page, 1, 'failed')
  const { counts: then } = (await send('GET', `${campaign}/progress`)).json<{ counts: object }>()
  expect(then).toMatchObject({ pending: 5, failed: 1 })
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.locator('.state-tag', { hasText: 'paused' }).waitFor()
  await page.getByRole('button', { name: 'Unpause' }).click()
  await page.locator('.state-tag.paused').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Retry all 1' }).click()
  await page.getByText('Nothing has failed').waitFor()
})

browserTest(
  'the dashboard shows beside a running experiment what heartbeats say of it, until the next attempt',
  async () => {
    const { url, campaign, report } = await startCampaign(6, QUICK)
    const beat = (body: object) => send('POST', `${campaign}/experiments/0001/heartbeat`, body)
    await report('0001', { status: 'running', worker: 'w', lease_seconds: 600 })
    await beat({ attempt: 1, progress: 0.25 })
    const { page } = await browsing.open(url, '#/campaigns/sweep/grid?exp=0001')
    const drawer = page.getByRole('dialog')
    await drawer.getByText('25 %').waitFor()
    await beat({ attempt: 1, progress: 0.5, note: '<i>epoch</i> 3' })
    await drawer.getByText('50 %').waitFor()
    await drawer.getByText('<i>epoch</i> 3').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await report('0001', { status: 'pending' })
    await report('0001', { status: 'running', worker: 'w', lease_seconds: 600 })
    await drawer.getByText('50 %').waitFor({ state: 'detached' })
    await beat({ attempt: 2, progress: 0.75 })
    await drawer.getByText('75 %').waitFor()
  },
)

browserTest('the dashboard cancels what runs, and notices when that is taken back', async () => {
  const { url, campaign, report } = await startCampaign(6, QUICK)
  await report('0001', { status: 'running', worker: 'w', lease_seconds: 600 })
  const { page } = await browsing.open(url, '#/campaigns/sweep/grid')
  const cancel = page.getByRole('button', { name: 'Cancel running experiments' })
  const cancelling = page.getByRole('button', { name: 'Cancelling running experiments' })
  await page.getByRole('button', { name: 'Pause' }).click()
  await cancel.click()
  await cancelling.waitFor()
  const { text } = await report('0001', { status: 'failed', failure_kind: 'interrupted' })
  expect(text).toContain('"closed_by":"pause"')
  await counts(page, 0, 'running')
  await send('PATCH', `${campaign}?cancel_running=false`, {})
  await report('0002', { status: 'running', worker: 'w' })
  await cancel.waitFor()
})

browserTest(
  'the dashboard asks for a token where one is required, keeps it for the tab, and names a missing role',
  async () => {
    const { lines, tokenOf, as } = testTokens()
    const { url } = await startService({ environment: { CAMPAIGND_TOKENS_FILE: tokensFile(lines) } })
    const experiments = [experimentDraft('0001', { status: 'failed', error: 'Exit code 1' })]
    await send('POST', `${url}/v1/campaigns`, campaignDraft(0, { experiments }), as('admin'))
    const { page } = await browsing.open(url, '#/campaigns/sweep', { expected: /status of 40[13]/ })
    const input = page.getByLabel('Token of this service')
    await input.waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    const enter = async (token: string) => {
      await input.fill(token)
      await page.keyboard.press('Enter')
    }
    await enter('cmpd_wrong')
    await page.getByText('The token was refused: The token is not known.').waitFor()
    await enter(tokenOf('read'))
    await page.locator('.live-badge.live').waitFor()
    await page.reload()
    await page.locator('.live-badge.live').waitFor()
    await page.locator('.group').getByRole('button', { name: 'Retry' }).click()
    await page.getByText('Not put back. The call needs the role work; a-read has the role read.').waitFor()
    await page.getByRole('button', { name: 'Change token' }).click()
    await enter(tokenOf('work'))
    await page.locator('.token-prompt').waitFor({ state: 'detached' })
    await page.locator('.group').getByRole('button', { name: 'Retry' }).click()
    await page.getByText('1 experiment put back to pending.').waitFor()
    expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, ''])
    expect(page.url()).not.toContain('cmpd_')
  },
)

/** Counts the streams that end, and notes the event after which each begun one resumes. */
function watchStreams(page: Page): { readonly begun: (string | undefined)[]; readonly ended: number } {
  const seen = { begun: [] as (string | undefined)[], ended: 0 }
  const isStream = (url: string) => url.endsWith('/events')
  page.on('request', (request) => {
    if (isStream(request.url())) seen.begun.push(request.headers()['last-event-id'])
  })
  const end = (request: { url(): string }) => {
    if (isStream(request.url())) seen.ended += 1
  }
  page.on('requestfailed', end)
  page.on('requestfinished', end)
  return seen
}

/** Hides or shows the tab: a headless browser has no other tab to switch to. */
async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((isHidden) => {
    Object.defineProperty(document, 'visibilityState', { value: isHidden ? 'hidden' : 'visible', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)
}
