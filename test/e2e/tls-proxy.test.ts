import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { tokensFile } from '../support/service/guarded-service.js'
import { readmeBlocks } from '../support/readme.js'
import { startService } from '../support/service/service.js'
import { startNginx } from '../support/service/tls-proxy.js'
import { testTokens } from '../support/service/tokens.js'
import { isUsable } from '../support/tools.js'
import { until } from '../support/until.js'

const NAME = 'campaigns.example'
const FIRST = '/v1/campaigns/sweep/experiments/0001'

const canProxy = isUsable('nginx', ['nginx', '-v']) && isUsable('openssl', ['openssl', 'version'])

/** Reads a stream of events on. */
function follow(stream: IncomingMessage): { readonly received: string } {
  const seen = { received: '' }
  stream.setEncoding('utf8').on('data', (chunk: string) => (seen.received += chunk))
  stream.on('error', () => undefined)
  return seen
}

test.skipIf(!canProxy)(
  'behind nginx as the README sets it up: writes, streams as they come, and no foreign page',
  async () => {
    const { lines, as } = testTokens()
    const environment = { CAMPAIGND_TOKENS_FILE: tokensFile(lines), CAMPAIGND_ALLOWED_HOSTS: NAME }
    const { url } = await startService({ environment })
    const [site = ''] = readmeBlocks('src/auth/README.md', 'nginx', (heading) => heading === 'TLS')
    const proxy = await startNginx(site, NAME, url)
    const statusOf = async (...call: Parameters<typeof proxy.call>) => {
      const answer = await proxy.call(...call)
      await text(answer)
      return answer.statusCode
    }
    const work = as('work')
    const running = { status: 'running' }
    const own = { ...work, origin: `https://${NAME}` }

    expect(await statusOf('POST', '/v1/campaigns', as('admin'), campaignDraft(2))).toBe(201)
    expect(await statusOf('PATCH', FIRST, {}, running)).toBe(401)
    expect(await statusOf('PATCH', FIRST, { ...work, origin: 'https://evil.example' }, running)).toBe(403)
    expect(await statusOf('GET', '/v1/campaigns', { ...work, host: 'evil.example' })).toBe(421)
    // More than nginx takes by itself.
    const large = { campaign_name: 'x'.repeat(2_000_000) }
    expect(await statusOf('POST', '/v1/campaigns', as('admin'), campaignDraft(1, large))).toBe(400)

    const stream = await proxy.call('GET', '/v1/campaigns/sweep/events', work)
    const seen = follow(stream)
    await until('the snapshot comes', () => seen.received.includes('event: snapshot'), 2_000)
    expect(await statusOf('PATCH', FIRST, { ...own, 'sec-fetch-site': 'same-origin' }, running)).toBe(200)
    await until('the change comes', () => seen.received.includes('event: change'), 2_000)
    stream.destroy()

    const { headers } = await proxy.call('GET', '/v1/campaigns/sweep/progress', work)
    const held = proxy.call('GET', '/v1/campaigns/sweep/progress?wait=30', {
      ...work,
      'if-none-match': headers.etag ?? '',
    })
    expect(await statusOf('PATCH', FIRST, own, { status: 'completed' })).toBe(200)
    expect((await held).statusCode).toBe(200)
  },
)
