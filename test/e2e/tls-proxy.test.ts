import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { readmeBlocks } from '../support/readme.js'
import { kill } from '../support/service/child-process.js'
import { startService } from '../support/service/service.js'
import { testTokens, tokensFile } from '../support/service/tokens.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { isUsable } from '../support/tools.js'
import { until } from '../support/until.js'

const NAME = 'campaigns.example'
const FIRST = '/v1/campaigns/sweep/experiments/0001'

const canProxy = isUsable('nginx', ['nginx', '-v']) && isUsable('openssl', ['openssl', 'version'])

/** Collects what a stream of events sends. */
function follow(stream: IncomingMessage): { readonly received: string } {
  const seen = { received: '' }
  stream.setEncoding('utf8').on('data', (chunk: string) => (seen.received += chunk))
  stream.on('error', () => undefined)
  return seen
}

test.skipIf(!canProxy)(
  'behind nginx as the README sets it up writes work, streams are not buffered, and foreign pages are refused',
  async () => {
    const { lines, as } = testTokens()
    const environment = { CAMPAIGND_TOKENS_FILE: tokensFile(lines), CAMPAIGND_ALLOWED_HOSTS: NAME }
    const { url } = await startService({ environment })
    const [site = ''] = readmeBlocks('src/auth/README.md', 'nginx', (heading) => heading === 'TLS')
    const proxy = await startNginx(site, NAME, url)
    const statusOf = async (...call: Parameters<typeof proxy.call>) => {
      const reply = await proxy.call(...call)
      await text(reply)
      return reply.statusCode
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

/** A proxy that does TLS for a service, by a name that only its clients know. */
interface TlsProxy {
  /** Resolves with the head of the response. */
  call(method: string, path: string, headers: Readonly<Record<string, string>>, body?: object): Promise<IncomingMessage>
}

/** Starts nginx with a site as the README has it. It ends with the test. */
async function startNginx(site: string, name: string, service: string): Promise<TlsProxy> {
  const directory = temporaryDirectory()
  const path = (file: string) => join(directory, file)
  makeCertificate(name, path('cert.pem'), path('key.pem'))
  const ours = site
    .replace(/listen \S+ ssl/, `listen unix:${path('socket')} ssl`)
    .replace(/(ssl_certificate\s+)\S+;/, `$1${path('cert.pem')};`)
    .replace(/(ssl_certificate_key\s+)\S+;/, `$1${path('key.pem')};`)
    .replace(/proxy_pass \S+;/, `proxy_pass ${service};`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${path(of)};`)
  writeFileSync(
    path('nginx.conf'),
    ['daemon off;', 'master_process off;', `pid ${path('pid')};`, 'events {}', 'http {', 'access_log off;']
      .concat(temporary, ours, '}')
      .join('\n'),
  )
  const child = spawn('nginx', ['-e', 'stderr', '-p', directory, '-c', path('nginx.conf')], { stdio: 'inherit' })
  onTestFinished(() => kill(child))
  await until('nginx listens', () => existsSync(path('socket')))
  const to = { socketPath: path('socket'), servername: name, ca: readFileSync(path('cert.pem')), agent: false } as const
  return {
    call: async (method, at, headers, body) => {
      const type = body === undefined ? {} : { 'content-type': 'application/json' }
      const sent = request({ ...to, method, path: at, headers: { host: name, ...type, ...headers } })
      // After the response: the rest of a body that was refused.
      sent.on('error', () => undefined)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      return response
    },
  }
}

function makeCertificate(name: string, certificate: string, key: string): void {
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const called = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const { status, stderr } = spawnSync('openssl', ['req', ...made, ...called, '-keyout', key, '-out', certificate])
  if (status !== 0) throw new Error(`openssl: ${stderr.toString()}`)
}
