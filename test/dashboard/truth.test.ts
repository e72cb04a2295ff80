import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'
import type { ExperimentDraft } from '#campaignd/domain/operations/draft.js'
import type { Progress } from '#campaignd/domain/views/progress.js'
import { campaignDraft, experimentDraft } from '../support/campaigns/drafts.js'
import { SAMPLES, sampleText, TORN_SAMPLE } from '../support/campaigns/samples.js'
import { accessibilityFaults, browserTest, useBrowser, useService } from '../support/http/browser.js'
import { send } from '../support/http/client.js'
import { layManifest } from '../support/store/files.js'

const browsing = useBrowser()

/** The samples, a torn file, a campaign with every status, and one that is archived. */
const service = useService((dataDir) => layManifest(dataDir, 'torn', sampleText(TORN_SAMPLE)), fill)

async function fill(url: string): Promise<void> {
  for (const name of SAMPLES) await send('POST', `${url}/v1/campaigns`, JSON.parse(sampleText(name)))
  const at = (started: string, completed: string) => ({
    started_at: `2026-03-01T${started}Z`,
    completed_at: `2026-03-01T${completed}Z`,
  })
  const failed = (expId: string, failure_kind: 'oom' | 'error', error: string, more: Partial<ExperimentDraft> = {}) => {
    const given = { failure_kind, error, ...at('10:00:00', '10:05:00'), ...more }
    return experimentDraft(expId, { config_name: 'llama3-8b-fp8', status: 'failed', ...given })
  }
  const stopped = { attempt: 1, worker: 'gpu-node-1', status: 'failed', failure_kind: 'interrupted' } as const
  const past = {
    ...stopped,
    ...at('08:00:00', '08:01:00'),
    error: null,
    result_path: null,
    closed_by: 'start',
  } as const
  const metrics = { tokens_per_s: 812.4, energy_j: 52_000, spread: 0.000_000_31 }
  const traceback = 'Traceback (most recent call last):\n  File "/opt/run.py", line 3\nValueError: no such precision'
  const experiments = [
    experimentDraft('done', { status: 'completed', metrics, ...at('09:00:00', '09:02:05') }),
    failed('big-1', 'oom', 'CUDA out of memory. Tried to allocate 20.25 GiB'),
    failed('big-2', 'oom', 'CUDA out of memory. Tried to allocate 16.50 GiB'),
    failed('bad-1', 'error', traceback, { attempt: 2, attempts: [past], actor: 'a-work' }),
    experimentDraft('later', { backend: 'pytorch', container: 'pytorch' }),
    experimentDraft('now', { backend: 'pytorch', container: 'pytorch', cycle_index: 1 }),
    experimentDraft('not', { status: 'skipped', cycle_index: 1 }),
  ]
  await send('POST', `${url}/v1/campaigns`, campaignDraft(0, { campaign_id: 'all', experiments }))
  await send('POST', `${url}/v1/campaigns`, campaignDraft(1, { campaign_id: 'archived', archived: true }))
  const running = { status: 'running', worker: 'gpu-node-1', lease_seconds: 120 }
  await send('PATCH', `${url}/v1/campaigns/all/experiments/now`, running)
  const beat = { attempt: 1, progress: 0.42, note: 'epoch <b>2</b> of 5' }
  await send('POST', `${url}/v1/campaigns/all/experiments/now/heartbeat`, beat)
}

browserTest('the dashboard lists the campaigns as the API does, and filters them by the URL', async () => {
  const { page, go } = await browsing.open(service().url, '')
  const lines = page.locator('table.campaigns tbody tr')
  await lines.first().waitFor()
  const { campaigns } = (await send('GET', `${service().url}/v1/campaigns?archived=any`)).json<{
    campaigns: Progress[]
  }>()
  expect(await lines.locator('th a').allTextContents()).toEqual(campaigns.map(({ campaign_name }) => campaign_name))
  expect(await lines.locator('.state-tag').allTextContents()).toEqual(campaigns.map(({ state }) => state))
  const torn = lines.filter({ hasText: 'torn' })
  expect(await torn.textContent()).toMatch(/corrupt.*not JSON/)

  await page.getByLabel('Name').fill('precision')
  await page.getByLabel('State').selectOption('idle')
  expect(page.url()).toMatch(/#\/\?name=precision&state=idle$/)
  const matching = campaigns.filter((one) => one.campaign_name.includes('precision') && one.state === 'idle')
  expect(await lines.count()).toBe(matching.length)
  expect(matching.length).toBeGreaterThan(0)
  await page.reload()
  await page.locator('table.campaigns').waitFor()
  expect(await lines.count()).toBe(matching.length)
  await go('#/?name=nothing-like-this')
  await page.getByText('No campaign matches').waitFor()
})

browserTest('the dashboard shows the progress of a campaign', async () => {
  const { page } = await browsing.open(service().url, '#/campaigns/all')
  await page.locator('.legend').waitFor()
  expect(await page.locator('h1').textContent()).toBe('precision sweep')
  const legend = (await page.locator('.legend li').allTextContents()).map((text) => text.trim())
  expect(legend.join(', ')).toBe('1 completed, 1 running, 3 failed, 0 interrupted, 0 lost, 1 pending, 1 skipped')
  expect(await page.locator('.figures').textContent()).toMatch(/Done14 %1 \/ 7/)
  expect(await page.locator('.live-badge').textContent()).toMatch(/live.*as of \d\d:\d\d:\d\d/)
})

browserTest('the dashboard begins with the failures, grouped by kind and message', async () => {
  const { page } = await browsing.open(service().url, '#/campaigns/all')
  const groups = page.locator('.group')
  await groups.first().waitFor()
  expect(await page.locator('.views a').first().textContent()).toBe('Failures3')
  expect(await groups.locator('h2').allTextContents()).toEqual([
    'CUDA out of memory. Tried to allocate ‹n› GiB',
    'ValueError: no such precision',
  ])
  expect(await groups.first().locator('.chip').allTextContents()).toEqual(['big-1', 'big-2'])
  await groups.nth(1).locator('summary').click()
  expect(await groups.nth(1).locator('pre').textContent()).toContain('File "/opt/run.py", line 3')
  await page.getByLabel('Kind').selectOption('oom')
  expect(page.url()).toContain('kind=oom')
  expect(await groups.count()).toBe(1)
})

browserTest('the dashboard draws every experiment in the grid, named to the keyboard and by colour', async () => {
  for (const id of ['all', 'bbb9fb75']) {
    const manifest = (await send('GET', `${service().url}/v1/campaigns/${id}`)).json<CampaignManifest>()
    const { page } = await browsing.open(service().url, `#/campaigns/${id}/grid`)
    const labels = await walkGrid(page)
    expect([...labels.keys()].sort()).toEqual(manifest.experiments.map(({ exp_id }) => exp_id).sort())
    for (const { exp_id, status, config_name, cycle_index } of manifest.experiments) {
      expect(labels.get(exp_id)).toContain(status)
      expect(labels.get(exp_id)).toContain(`${config_name}, cycle ${cycle_index}`)
    }
    expect(await coloursOfGrid(page)).toEqual(new Set(manifest.experiments.map(({ status }) => status)))
  }
})

browserTest('the dashboard gives each of several experiments of one config and cycle a square of its own', async () => {
  const sample = SAMPLES[4]
  const { campaign_id, experiments } = JSON.parse(sampleText(sample)) as CampaignManifest
  const { page } = await browsing.open(service().url, `#/campaigns/${campaign_id}/grid`)
  expect([...(await walkGrid(page)).keys()].sort()).toEqual(experiments.map(({ exp_id }) => exp_id).sort())
})

browserTest('the dashboard filters the grid by the URL, and by a click on a count', async () => {
  const { page } = await browsing.open(service().url, '#/campaigns/all/grid?state=failed')
  const found = page.locator('.toolbar .found')
  await found.waitFor()
  expect(await found.textContent()).toBe('3 of 7 experiments')
  await page.locator('.legend a', { hasText: 'running' }).click()
  await page.getByText('4 of 7 experiments').waitFor()
  expect(decodeURIComponent(page.url())).toContain('state=failed,running')
  await page.getByRole('searchbox', { name: 'Config' }).fill('pytorch')
  await page.getByText('1 of 7 experiments').waitFor()
  await page.getByRole('button', { name: 'Show all' }).click()
  await page.getByText('3 configs × 2 cycles').waitFor()
})

browserTest('the dashboard shows all fields of an experiment, by mouse, keyboard and link', async () => {
  const { page } = await browsing.open(service().url, '#/campaigns/all/grid')
  await page.locator('.grid-box').focus()
  await page.keyboard.press('Enter')
  const drawer = page.getByRole('dialog')
  await drawer.waitFor()
  expect(await drawer.getAttribute('aria-label')).toBe('Experiment later')
  expect(page.url()).toContain('exp=later')
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'detached' })
  await page.locator('.grid-box').hover({ position: FIRST_SQUARE })
  expect(await page.locator('.tooltip').textContent()).toMatch(/^later: pending/)
  await page.locator('.grid-box').click({ position: FIRST_SQUARE })
  await drawer.waitFor()
  const { page: linked } = await browsing.open(service().url, '#/campaigns/all/failures?exp=bad-1')
  const text = (await linked.getByRole('dialog').textContent()) ?? ''
  const url = `${service().url}/v1/campaigns/all/experiments/bad-1`
  const experiment = (await send('GET', url)).json<Record<string, string | number>>()
  for (const key of ['exp_id', 'config_name', 'config_path', 'config_hash', 'backend', 'error', 'failure_kind']) {
    expect(text).toContain(String(experiment[key]))
  }
  expect(text).toContain(`curl -sS '${url}'`)
})

browserTest('the dashboard shows what was measured, what may still fail, and why each attempt was closed', async () => {
  const { page, go } = await browsing.open(service().url, '#/campaigns/all/grid?exp=done')
  const drawer = page.getByRole('dialog')
  const metrics = drawer.getByRole('table', { name: 'Metrics' }).getByRole('row')
  await metrics.first().waitFor()
  expect(await metrics.allTextContents()).toEqual(['tokens_per_s812.4', 'energy_j52,000', 'spread3.1e-7'])
  expect(await drawer.getByText('Budget').count()).toBe(0)
  await go('#/campaigns/all/grid?exp=bad-1')
  await drawer.getByText('1 failure of 1 allowed, 1 loss of 4').waitFor()
  const text = await drawer.textContent()
  expect(text).toContain('Changed bya-work')
  expect(text).toContain('took 1 m 00 s · started again')
})

browserTest('the dashboard shows when each experiment ran, and which worker holds it', async () => {
  const { page, go } = await browsing.open(service().url, '#/campaigns/all/timeline')
  await page.getByText('As a table').click()
  const lanes = page.locator('.lane-table tbody tr')
  expect((await lanes.allTextContents()).map((text) => text.replace(/\d\d:\d\d:\d\d/g, ' '))).toEqual([
    expect.stringMatching(/^pytorch1.*1 experiment running$/),
    expect.stringMatching(/^vllm5.*idle$/),
  ])
  await page.getByLabel('A lane for each').selectOption('worker')
  expect(page.url()).toContain('lane=worker')
  await lanes.filter({ hasText: 'gpu-node-1' }).waitFor()

  await go('#/campaigns/all/workers')
  const workers = page.locator('table.workers tbody tr')
  await workers.first().waitFor()
  expect(await workers.count()).toBe(1)
  expect(await workers.first().textContent()).toMatch(
    /^gpu-node-1now.*pytorch11.*42 %\d+ s of 120 sepoch <b>2<\/b> of 5$/,
  )
  expect(await page.getByRole('progressbar', { name: 'Progress of now' }).getAttribute('value')).toBe('0.42')
})

browserTest('the dashboard shows who is benched, until when and why', async () => {
  const path = `${service().url}/v1/campaigns`
  await send('POST', path, campaignDraft(3, { campaign_id: 'benching', settings: { worker_failure_limit: 1 } }))
  await send('POST', `${path}/benching/claims`, { worker: 'gpu-node-1' })
  await send('PATCH', `${path}/benching/experiments/0002`, {
    worker: 'gpu-<b>2',
    status: 'failed',
    failure_kind: 'oom',
  })
  const { page } = await browsing.open(service().url, '#/campaigns/benching/workers')
  const benched = page.getByRole('list', { name: 'Benched workers' }).getByRole('listitem')
  await benched.first().waitFor()
  const text = (await benched.allTextContents()).map((one) => one.replace(/\d\d:\d\d/, 'hh:mm'))
  expect(text).toEqual(['gpu-<b>2 is benched until hh:mm: its last run failed, at 0002 (oom)'])
  expect(await accessibilityFaults(page)).toEqual([])
  await benched.getByRole('button', { name: '0002' }).click()
  await page.getByRole('dialog').waitFor()
})

browserTest('the dashboard does not shift its layout while it loads', async () => {
  const { page } = await browsing.open(service().url, 'favicon.svg', { expected: /status of 404/ })
  await page.addInitScript(() => {
    const shifts: number[] = []
    Object.assign(globalThis, { shifts })
    const observer = new PerformanceObserver((list) => {
      shifts.push(...list.getEntries().map((entry) => (entry as unknown as { value: number }).value))
    })
    observer.observe({ type: 'layout-shift', buffered: true })
  })
  for (const [hash, shown] of [
    ['#/', 'table.campaigns'],
    ['#/campaigns/all/grid', '.grid-box'],
    ['#/campaigns/all/failures', '.group'],
  ] as const) {
    await page.goto('about:blank')
    await page.goto(`${service().url}/${hash}`)
    await page.locator(shown).first().waitFor()
    await page.locator('.live-badge.live').waitFor()
    const moved = await page.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts)
    expect(
      moved.reduce((sum, one) => sum + one, 0),
      hash,
    ).toBeLessThan(0.01)
  }
})

browserTest('the dashboard shows the problem of a corrupt campaign and of a missing one', async () => {
  for (const [id, words] of [
    ['torn', 'cannot be trusted'],
    ['none', 'There is no campaign'],
  ] as const) {
    const { page } = await browsing.open(service().url, `#/campaigns/${id}`, { expected: /status of 4\d\d/ })
    await page.locator('.empty').waitFor()
    expect(await page.locator('.empty').textContent()).toContain(words)
  }
})

browserTest.each([
  ['light', false],
  ['dark', true],
])('the dashboard has no accessibility faults in any view, %s, at any width', async (_, dark) => {
  const places: readonly (readonly [string, string])[] = [
    ['#/', 'table.campaigns'],
    ['#/?name=nothing', '.empty'],
    ['#/campaigns/all/failures', '.group'],
    ['#/campaigns/all/grid', '.grid-box'],
    ['#/campaigns/all/timeline', '.timeline-box'],
    ['#/campaigns/all/workers', 'table.workers'],
    ['#/campaigns/all/failures?exp=bad-1', '.drawer'],
  ]
  const { page, go } = await browsing.open(service().url, '', { dark })
  for (const [hash, shown] of places) {
    await go(hash)
    await page.locator(shown).first().waitFor()
    await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished)))
    expect(await accessibilityFaults(page), hash).toEqual([])
    await page.setViewportSize({ width: 390, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth), `${hash} on a phone`).toBe(390)
    await page.setViewportSize({ width: 1280, height: 800 })
  }
})

/** The first experiment of the campaign `all`, in pixels of the grid. */
const FIRST_SQUARE = { x: 204, y: 62 }

/** The label of each experiment, by id, as the cursor walks over the whole grid. */
async function walkGrid(page: Page): Promise<Map<string, string>> {
  const grid = page.locator('.grid-box')
  await grid.waitFor()
  await grid.focus()
  const labels = new Map<string, string>()
  const cell = page.locator('#grid-cell')
  const press = async (key: string) => {
    const before = await cell.textContent()
    await page.keyboard.press(key)
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
    const now = (await cell.textContent()) ?? ''
    labels.set(now.split(':')[0] ?? '', now)
    return now !== before
  }
  await press('Home')
  do {
    await press('Home')
    while (await press('ArrowRight'));
  } while (await press('ArrowDown'))
  return labels
}

const COLOURS = {
  completed: [0x0f, 0x5c, 0x4a],
  running: [0x4a, 0xa8, 0xff],
  failed: [0xd5, 0x5e, 0x00],
  pending: [0xe3, 0xe6, 0xea],
  skipped: [0x8a, 0x8f, 0x98],
} as const

/** The statuses whose colours are on the canvas. */
async function coloursOfGrid(page: Page): Promise<Set<string>> {
  const present = await page.locator('.grid-box canvas').evaluate((canvas: HTMLCanvasElement, colours) => {
    const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
    const counts = new Map<number, number>()
    for (let at = 0; at < data.length; at += 4) {
      const colour = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0)
      counts.set(colour, (counts.get(colour) ?? 0) + 1)
    }
    return Object.entries(colours)
      .filter(([, [r, g, b]]) => (counts.get((r << 16) | (g << 8) | b) ?? 0) > 30)
      .map(([state]) => state)
  }, COLOURS)
  return new Set(present)
}
