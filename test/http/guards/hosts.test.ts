import { expect, test } from 'vitest'
import { openCampaign } from '../../support/campaigns/campaign.js'
import { expectProblem } from '../../support/http/problems.js'
import { openApp } from '../../support/service/app.js'

const OURS = [
  'localhost',
  'localhost:8080',
  'LOCALHOST:8080',
  'localhost.',
  '127.0.0.1',
  '127.0.0.1:8080',
  '10.1.2.3:80',
  '[::1]',
  '[::1]:8080',
  '[fe80::1]:8080',
]
const OTHERS = [
  'evil.example',
  'evil.example:8080',
  'localhost.evil.example',
  'evil.localhost',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io:8080',
  '2130706433',
  '0x7f.1',
  '127.1',
  '::1',
  '[evil.example]',
  '[::1].evil.example',
  '[::1',
  'localhost:80@evil.example',
  'evil.example#localhost',
  'campaignd.internal',
  ' ',
]

test.each(OURS)('the Host %j is accepted', async (host) => {
  const { call } = await openApp()
  expect((await call('GET', '/v1/campaigns', { headers: { host } })).status).toBe(200)
})

test.each(OTHERS)('the Host %j is refused, on any path but health', async (host) => {
  const { call } = await openApp()
  for (const path of [
    '/v1/campaigns',
    '/docs',
    '/docs/static/swagger-ui.css',
    '/openapi.json',
    '/problems',
    '/nothing',
    '/',
  ]) {
    const { detail } = expectProblem(await call('GET', path, { headers: { host } }), 421, 'misdirected-request')
    expect(detail).toContain('CAMPAIGND_ALLOWED_HOSTS')
  }
  for (const path of ['/healthz', '/readyz']) expect((await call('GET', path, { headers: { host } })).status).toBe(200)
})

test('a page whose name was rebound to this address can neither read nor write', async () => {
  const { call, path, report } = await openCampaign()
  const headers = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }
  expectProblem(await call('GET', path, { headers }), 421, 'misdirected-request')
  expectProblem(await report('0001', { status: 'running' }, { headers }), 421, 'misdirected-request')
  expect((await call('GET', path)).json()).toMatchObject({ revision: 1 })
})

test('a Host that is listed is accepted, whatever the port and the case', async () => {
  const { call } = await openApp({ access: { allowedHosts: ['campaigns.example', 'campaignd'] } })
  for (const host of ['campaigns.example', 'Campaigns.Example:443', 'campaignd:8080', 'localhost', '127.0.0.1'])
    expect((await call('GET', '/v1/campaigns', { headers: { host } })).status, host).toBe(200)
  for (const host of ['evil.example', 'a.campaigns.example', 'example'])
    expectProblem(await call('GET', '/v1/campaigns', { headers: { host } }), 421, 'misdirected-request')
})
