import { expect, test } from 'vitest'
import { openApp } from '../../../support/service/app.js'

test('the page is served at /, with a policy that lets it load only what it came with', async () => {
  const { app } = await openApp()
  const { statusCode, headers, payload } = await app.inject('/')
  expect(statusCode).toBe(200)
  expect(headers['content-type']).toBe('text/html; charset=utf-8')
  expect(headers['cache-control']).toBe('no-cache')
  const policy = String(headers['content-security-policy'])
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self';")
  expect(policy).not.toContain('unsafe')
  expect(payload).not.toMatch(/<style|<script(?![^>]* src=)| style=|https?:/)
})

test('what the page loads is there, and may be kept for ever', async () => {
  const { app } = await openApp()
  const { payload } = await app.inject('/')
  const assets = [...payload.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '')
  expect(assets.map((path) => path.replace(/^.*\./, '')).sort()).toEqual(['css', 'js'])
  for (const path of assets) {
    const { statusCode, headers } = await app.inject(path)
    expect([statusCode, headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable'])
    expect(headers['x-content-type-options']).toBe('nosniff')
  }
})

test('a page that is known is not sent again', async () => {
  const { app } = await openApp()
  const { headers } = await app.inject('/')
  const again = await app.inject({ url: '/', headers: { 'if-none-match': headers.etag } })
  expect([again.statusCode, again.payload]).toEqual([304, ''])
})

test.each(['/assets/', '/assets/none.js', '/index.htm', '/..%2fmain.js', '/%2e%2e/main.js'])(
  'nothing else is served: %s',
  async (url) => {
    const { app } = await openApp()
    const { statusCode, headers } = await app.inject(url)
    expect(statusCode).toBe(404)
    expect(headers['content-type']).toContain('application/problem+json')
  },
)
