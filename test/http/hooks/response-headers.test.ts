import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import type { CampaignStore } from '#campaignd/repository/campaign-store.js'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { type AppReply, openApp } from '../../support/service/app.js'
import { startInProcess } from '../../support/service/in-process.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const BANNERS = ['server', 'x-powered-by', 'via']

function expectGuarded({ headers }: AppReply): void {
  expect(headers).toMatchObject({
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  })
  for (const name of BANNERS) expect(headers).not.toHaveProperty(name)
}

test('every response of the API, refusals too, forbids shared caches and guesses of its type', async () => {
  const { call, path, report } = await openCampaign()
  const etag = (await call('GET', path)).headers['etag'] ?? ''
  const replies = [
    await call('GET', path),
    await call('HEAD', path),
    await call('GET', path, { headers: { 'if-none-match': etag } }),
    await call('GET', `${path}/progress`),
    await call('GET', '/v1/campaigns'),
    await report('0001', { status: 'running' }),
    await report('0001', { status: 'nonsense' }),
    await call('GET', '/v1/campaigns/nothing'),
    await call('GET', '/v1/nothing'),
    await call('GET', '/v1/campaigns/%zz'),
    await call('GET', `/v1/campaigns/${'x'.repeat(600)}`),
    await call('GET', path, { headers: { host: 'evil.example' } }),
    await call('POST', '/v1/campaigns', { rawBody: '{' }),
    await call('DELETE', `${path}?force=true`),
    await call('GET', '/healthz'),
  ]
  expect(new Set(replies.map(({ status }) => status)).size).toBeGreaterThan(6)
  for (const reply of replies) expectGuarded(reply)
})

test('pages load scripts and data from their own origin only, evaluate no text, and cannot be framed', async () => {
  const { call } = await openApp()
  for (const path of ['/docs', '/docs/', '/']) {
    const page = await call('GET', path)
    expect(page.status).toBe(200)
    expect(page.headers['content-type']).toMatch(/^text\/html\b/)
    const policy = page.headers['content-security-policy'] ?? ''
    const directives = new Map(policy.split(';').map((one) => [one.trim().split(' ')[0], one.trim()]))
    expect(directives.get('default-src')).toBe("default-src 'none'")
    expect(directives.get('script-src')).toBe("script-src 'self'")
    expect(directives.get('connect-src')).toBe("connect-src 'self'")
    expect(directives.get('frame-ancestors')).toBe("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe-eval|https?:|\*/)
    expect(page.headers).toMatchObject({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
    for (const name of [...BANNERS, 'strict-transport-security']) expect(page.headers).not.toHaveProperty(name)
  }
})

test('the documentation page keeps its own policy: no inline script, and every asset from this origin', async () => {
  const { call } = await openApp()
  const page = await call('GET', '/docs/')
  const scripts = [...page.text.matchAll(/<script([^>]*)>([^]*?)<\/script>/g)]
  expect(scripts.length).toBeGreaterThan(1)
  for (const [, attributes = '', text = ''] of scripts) {
    expect(attributes).toContain(' src=')
    expect(text.trim()).toBe('')
  }
  expect(page.text).not.toMatch(/ on[a-z]+=/)
  const wanted = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url)
  for (const url of wanted) {
    const { pathname, origin } = new URL(url, 'http://localhost/docs/')
    expect(origin).toBe('http://localhost')
    const asset = await call('GET', pathname)
    expect(asset.status, pathname).toBe(200)
    expect(asset.headers['x-content-type-options']).toBe('nosniff')
  }
})

test('the response to an internal error reveals neither a stack nor a path', async () => {
  const failure = new Error("ENOENT: no such file, open '/srv/data/campaigns/sweep.json'")
  const fails = () => Promise.reject(failure)
  const lines: string[] = []
  const { app, stop } = await startInProcess({
    dataDir: temporaryDirectory(),
    durability: 'os',
    clocks: { wall: '2026-03-01T12:00:00Z', monotonic: 0 },
    logger: pino({}, { write: (line: string) => lines.push(line) }),
    wrapStore: (store) =>
      Object.assign(Object.create(store) as CampaignStore, {
        readiness: () => Promise.resolve({ ready: false, reason: 'the lock was lost' }),
        ...{ read: fails, list: fails, update: fails, create: fails, delete: fails },
      }),
  })
  onTestFinished(stop)
  for (const [method, url] of [
    ['GET', '/v1/campaigns'],
    ['GET', '/v1/campaigns/sweep'],
    ['GET', '/v1/campaigns/sweep/progress'],
    ['POST', '/v1/campaigns/sweep/retry'],
    ['DELETE', '/v1/campaigns/sweep'],
  ] as const) {
    const { statusCode, payload, headers } = await app.inject({ method, url })
    expect(statusCode).toBe(500)
    expect(JSON.parse(payload)).toMatchObject({ code: 'internal' })
    expect(payload + JSON.stringify(headers)).not.toMatch(/ENOENT|srv|sweep\.json|\.js\b|\bat /)
  }
  expect(lines.join('')).toContain('/srv/data/campaigns/sweep.json')
})
