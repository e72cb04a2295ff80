import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { browserTest, useBrowser } from '../support/http/browser.js'
import { send } from '../support/http/client.js'
import { startService } from '../support/service/service.js'
import { testTokens, tokensFile } from '../support/service/tokens.js'

const browsing = useBrowser()

interface Call {
  readonly method: 'get' | 'patch'
  readonly path: string
  readonly parameters: Readonly<Record<string, string>>
  readonly body?: string
}

/** Opens a call, fills it in and sends it; returns the status of the response. */
async function tryOut(page: Page, { method, path, parameters, body }: Call): Promise<string> {
  const call = page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) })
  await call.locator('.opblock-summary-control').click()
  await call.getByRole('button', { name: 'Try it out' }).click()
  for (const [name, value] of Object.entries(parameters)) {
    await call.locator(`[data-param-name="${name}"] input`).fill(value)
  }
  if (body !== undefined) await call.locator('textarea.body-param__text').fill(body)
  await call.getByRole('button', { name: 'Execute' }).click()
  const status = await call.locator('.live-responses-table tbody .response-col_status').innerText()
  return status.trim()
}

async function authorize(page: Page, token: string): Promise<void> {
  await page.locator('.auth-wrapper > button.authorize').click()
  await page.locator('.auth-container input').fill(token)
  await page.locator('.auth-container button[type=submit]').click()
  await page.locator('.auth-container button.btn-done').click()
}

browserTest(
  'the page /docs shows all calls and makes them with a token, within its policy and without other origins',
  async () => {
    const { lines, tokenOf, as } = testTokens()
    const { url } = await startService({ environment: { CAMPAIGND_TOKENS_FILE: tokensFile(lines) } })
    await send('POST', `${url}/v1/campaigns`, campaignDraft(2), as('admin'))
    const { page } = await browsing.open(url, 'docs', { expected: /status of 401/ })
    await page.locator('.opblock').first().waitFor()
    const { paths } = (await send('GET', `${url}/openapi.json`)).json<{ paths: Record<string, object> }>()
    const documented = Object.values(paths).flatMap((path) => Object.keys(path))
    expect(await page.locator('.opblock').count()).toBe(documented.length)

    const parameters = { campaign_id: 'sweep' }
    expect(await tryOut(page, { method: 'get', path: '/v1/campaigns/{campaign_id}/workers', parameters })).toBe('401')
    await authorize(page, tokenOf('work'))
    expect(await tryOut(page, { method: 'get', path: '/v1/campaigns/{campaign_id}/progress', parameters })).toBe('200')
    const report = {
      method: 'patch',
      path: '/v1/campaigns/{campaign_id}/experiments/{exp_id}',
      parameters: { ...parameters, exp_id: '0002' },
      body: '{"status": "running", "worker": "by hand"}',
    } as const
    expect(await tryOut(page, report)).toBe('200')
    const written = await send('GET', `${url}/v1/campaigns/sweep/experiments/0002`, undefined, as('read'))
    expect(written.json()).toMatchObject({ status: 'running', worker: 'by hand' })
  },
)
