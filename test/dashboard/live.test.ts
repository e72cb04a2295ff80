import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { accessibilityFaults, CHROMIUM, useBrowser } from '../support/http/browser.js'
import { send } from '../support/http/client.js'
import { campaignDraft, experimentDraft } from '../support/campaigns/drafts.js'
import { tokensFile } from '../support/service/guarded-service.js'
import { startService, type Service } from '../support/service/service.js'
import { testTokens } from '../support/service/tokens.js'

/** What happens is seen at once, and what is asked for on the page is done. */

const browsing = useBrowser()

async function startCampaign(): Promise<Service & { readonly path: string }> {
  const service = await startService({ environment: { CAMPAIGND_DURABILITY: 'os' } })
  await send('POST', `${service.url}/v1/campaigns`, campaignDraft(6))
  return { ...service, path: `${service.url}/v1/campaigns/sweep` }
}

function report(path: string, expId: string, body: object): Promise<unknown> {
  return send('PATCH', `${path}/experiments/${expId}`, body)
}

/** Waits until the page counts so many of a state. */
async function counts(page: Page, count: number, state: string): Promise<void> {
  await page.locator('.legend a', { hasText: new RegExp(`^${count} ${state}$`) }).waitFor()
}

describe.skipIf(CHROMIUM === null)('the dashboard', () => {
  test('the dashboard shows every change as it comes, in the campaign and in the list', async () => {
    const { url, path } = await startCampaign()
    const { page } = await browsing.open(url, '#/campaigns/sweep/grid')
    const { page: list } = await browsing.open(url, '')
    await counts(page, 6, 'pending')
    await report(path, '0001', { status: 'running', worker: 'w' })
    await counts(page, 1, 'running')
    await list.locator('.state-tag', { hasText: 'running' }).waitFor()
    await report(path, '0001', { status: 'failed', error: 'Exit code 1' })
    await counts(page, 1, 'failed')
    await page.locator('.views a', { hasText: 'Failures' }).click()
    await page.locator('.group', { hasText: 'Exit code 1' }).waitFor()
    await send('POST', `${url}/v1/campaigns`, campaignDraft(2, { campaign_id: 'next', campaign_name: 'the next one' }))
    await list.getByText('the next one').waitFor()
    expect(await list.locator('tbody tr').count()).toBe(2)
    await send('DELETE', `${url}/v1/campaigns/next`)
    await list.getByText('the next one').waitFor({ state: 'detached' })
    await send('DELETE', path)
    await page.getByText('The campaign was deleted while this page was open.').waitFor()
  })

  test('the dashboard holds one stream, and none while the tab is hidden', async () => {
    const { url, path } = await startCampaign()
    const { page } = await browsing.open(url, '#/campaigns/sweep/grid')
    await page.getByText('live').waitFor()
    const streams = watchStreams(page)
    await hide(page, true)
    await expect.poll(() => streams.ended).toBe(1)
    await report(path, '0001', { status: 'running', worker: 'w' })
    await hide(page, false)
    await counts(page, 1, 'running')
    expect(streams.begun).toEqual(['1'])
    await page.goto(`${url}/#/`)
    await page.locator('table.campaigns').waitFor()
    await expect.poll(() => streams.ended).toBeGreaterThanOrEqual(2)
  })

  test('the dashboard says that it reconnects, and goes on after the service was restarted', async () => {
    const { url, path, end, dataDir } = await startCampaign()
    const { page } = await browsing.open(url, '#/campaigns/sweep/grid', { expected: /net::ERR/ })
    await counts(page, 6, 'pending')
    await report(path, '0001', { status: 'running', worker: 'w' })
    await counts(page, 1, 'running')
    await end('SIGKILL')
    await page.getByText('reconnecting').waitFor()
    await startService({ dataDir, environment: { CAMPAIGND_PORT: new URL(url).port } })
    await report(path, '0001', { status: 'completed' })
    await counts(page, 1, 'completed')
    await page.locator('.live-badge.live').waitFor()
  })

  test('the dashboard asks again and again where streams do not come through', async () => {
    const { url, path } = await startCampaign()
    const { page } = await browsing.open(url, '', { expected: /net::ERR/ })
    let asked = 0
    await page.route('**/progress', async (route) => {
      asked += Number(route.request().headers()['if-none-match'] !== undefined)
      await route.continue()
    })
    await page.route('**/events', (route) => route.abort())
    await page.goto(`${url}/#/campaigns/sweep/grid`)
    await page.locator('.live-badge.polling').waitFor()
    await report(path, '0001', { status: 'running', worker: 'w' })
    await counts(page, 1, 'running')
    expect(asked).toBeGreaterThan(0)
  })

  test('the dashboard puts back to pending what failed, and pauses and goes on', async () => {
    const { url, path } = await startCampaign()
    for (const id of ['0001', '0002']) await report(path, id, { status: 'failed', error: `rank ${id}: out of memory` })
    await report(path, '0003', { status: 'failed', error: 'Exit code 1' })
    const { page } = await browsing.open(url, '#/campaigns/sweep')
    await page.locator('.group').first().getByRole('button', { name: 'Retry' }).click()
    await page.getByText('2 experiments put back to pending.').waitFor()
    await counts(page, 1, 'failed')
    const { counts: then } = (await send('GET', `${path}/progress`)).json<{ counts: object }>()
    expect(then).toMatchObject({ pending: 5, failed: 1 })
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.locator('.state-tag', { hasText: 'paused' }).waitFor()
    await page.getByRole('button', { name: 'Unpause' }).click()
    await page.locator('.state-tag.paused').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Retry all 1' }).click()
    await page.getByText('Nothing has failed').waitFor()
  })

  test('the dashboard asks for a token where one is wanted, keeps it for the tab, and says which role is missing', async () => {
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
  })
})

/** Counts the streams that end, and says behind which event those went on that began. */
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

/** What the browser does when another tab comes to the front; headless ones have no front. */
async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((isHidden) => {
    Object.defineProperty(document, 'visibilityState', { value: isHidden ? 'hidden' : 'visible', configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)
}
