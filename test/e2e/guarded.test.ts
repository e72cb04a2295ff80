import { chmodSync, readdirSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { send } from '../support/http/client.js'
import { messages, runMain, runService, startCampaign, startService } from '../support/service/service.js'
import { statusAs, testTokens, tokensFile } from '../support/service/tokens.js'
import { manifestPath } from '../support/store/files.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const EVERYWHERE = { CAMPAIGND_HOST: '0.0.0.0' }

/** The output of a start that must fail for its settings. */
async function refusal(environment: Readonly<Record<string, string>>): Promise<string> {
  const { code, output } = await runService({ dataDir: temporaryDirectory(), environment })
  expect(code, output).toBe(2)
  return output
}

test.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', ''])('a start is refused on %j without tokens', async (host) => {
  expect(await refusal({ CAMPAIGND_HOST: host })).toContain('CAMPAIGND_HOST')
})

test.each([0o644, 0o606, 0o777])('a start is refused with a tokens file of mode %o', async (mode) => {
  const output = await refusal({ ...EVERYWHERE, CAMPAIGND_TOKENS_FILE: tokensFile(testTokens().lines, mode) })
  expect(output).toContain('CAMPAIGND_TOKENS_FILE')
  expect(output).toContain(`0${mode.toString(8)}`)
  expect(output).not.toContain('CAMPAIGND_HOST')
})

test('a start is refused with a bad line, which is named and not shown', async () => {
  const file = tokensFile(`${testTokens().lines}\n\nw9 work cmpd_secret-in-the-wrong-place`)
  for (const environment of [EVERYWHERE, {}]) {
    const output = await refusal({ ...environment, CAMPAIGND_TOKENS_FILE: file })
    expect(output).toContain('line 5')
    expect(output).not.toMatch(/secret|w9/)
  }
})

test('a start is refused with a tokens file that is not there, though anonymous access is allowed', async () => {
  const environment = { CAMPAIGND_ALLOW_ANONYMOUS: 'true', CAMPAIGND_TOKENS_FILE: '/nonexistent/tokens' }
  expect(await refusal({ ...EVERYWHERE, ...environment })).toContain('ENOENT')
})

const NO_ORIGINS = 'https://a.example/ https://a.example/path a.example null ftp://a.example https://a.example:443'

test.each(NO_ORIGINS.split(' '))('a start is refused with %s for an origin', async (origin) => {
  expect(await refusal({ CAMPAIGND_CORS_ORIGINS: `https://ok.example,${origin}` })).toContain(JSON.stringify(origin))
})

test('a start is refused with headers that may take longer than their request', async () => {
  const output = await refusal({ CAMPAIGND_HEADERS_TIMEOUT: '100', CAMPAIGND_REQUEST_TIMEOUT: '60' })
  expect(output).toContain('CAMPAIGND_HEADERS_TIMEOUT must not be more than CAMPAIGND_REQUEST_TIMEOUT')
})

test('beyond loopback the service starts with tokens, and does not warn of anonymous access', async () => {
  const { lines, tokenOf } = testTokens()
  const file = tokensFile(lines, 0o640)
  const service = await startService({ environment: { ...EVERYWHERE, CAMPAIGND_TOKENS_FILE: file } })
  expect(messages(service).filter((line) => line.includes('ANYBODY'))).toEqual([])
  const url = service.url.replace('0.0.0.0', '127.0.0.1')
  expect((await send('GET', `${url}/v1/campaigns`)).status).toBe(401)
  expect(await statusAs({ ...service, url }, tokenOf('read'))).toBe(200)
  expect((await send('GET', `${url}/readyz`)).status).toBe(200)
})

test('beyond loopback the service starts without tokens only when that is allowed, with a warning', async () => {
  const service = await startService({ environment: { ...EVERYWHERE, CAMPAIGND_ALLOW_ANONYMOUS: 'true' } })
  const loud = service.log.filter(({ level }) => level === 40)
  expect(loud.map(({ msg }) => msg)).toEqual([expect.stringMatching(/^ANYBODY MAY DO ANYTHING: .*0\.0\.0\.0/)])
})

test('by default nothing but loopback is listened on', async () => {
  const { url } = await startService()
  const others = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).filter(({ internal, family }) => !internal && family === 'IPv4'),
  )
  for (const { address } of others) await expect(fetch(url.replace('127.0.0.1', address))).rejects.toThrow()
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

// With a setting that the service would not start with: a token needs none.
const createToken = (...args: string[]) => runMain(['token', 'create', ...args], { CAMPAIGND_PORT: 'none' })

test('token create prints a token and the line that lets it in', async () => {
  const { status, stdout, stderr } = createToken('--name', 'w1', '--role', 'work')
  expect([status, stderr]).toEqual([0, ''])
  const [token = ''] = /cmpd_[A-Za-z0-9_-]{43}/.exec(stdout) ?? []
  const [line = ''] = /w1 work sha256:[0-9a-f]{64}/.exec(stdout) ?? []
  const service = await startService({ environment: { CAMPAIGND_TOKENS_FILE: tokensFile(line) } })
  expect(await statusAs(service, token)).toBe(200)
  const authorization = { authorization: `Bearer ${token}` }
  expect((await send('POST', `${service.url}/v1/campaigns`, campaignDraft(1), authorization)).status).toBe(403)
})

test.each([
  ['no name', ['--role', 'work']],
  ['no role', ['--name', 'w1']],
  ['an unknown role', ['--name', 'w1', '--role', 'root']],
  ['a name that would be two words', ['--name', 'w 1', '--role', 'work']],
  ['something more', ['--name', 'w1', '--role', 'work', 'now']],
])('token create with %s makes none', (_what, args) => {
  const { status, stdout, stderr } = createToken(...args)
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^error: /)
})

test('without a tokens file SIGHUP ends the service in order, as when a terminal is closed', async () => {
  const service = await startService()
  expect(await service.end('SIGHUP')).toBe(0)
})

test('files are for the owner alone, whatever the umask, and a directory that was open to others is closed', async () => {
  const dataDir = join(temporaryDirectory(), 'made/when/missing')
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  const wrapper = ['sh', '-c', 'umask 0; exec "$@"', 'sh']
  const first = await startCampaign(2, { dataDir, wrapper })
  await first.report('0001', { status: 'running' })
  for (const directory of [dataDir, join(dataDir, 'campaigns')]) expect(modeOf(directory)).toBe('700')
  expect(modeOf(manifestPath(dataDir, 'sweep'))).toBe('600')
  const beside = readdirSync(dataDir).filter((name) => (statSync(join(dataDir, name)).mode & 0o077) !== 0)
  expect(beside).toEqual([])
  await first.end('SIGTERM')

  chmodSync(join(dataDir, 'campaigns'), 0o777)
  chmodSync(dataDir, 0o777)
  const second = await startService({ dataDir })
  expect(modeOf(join(dataDir, 'campaigns'))).toBe('700')
  expect(messages(second)[0]).toMatch(/^anybody may write in /)
})
