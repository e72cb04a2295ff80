import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createToken } from '#campaignd/auth/tokens.js'
import { send } from '../support/client.js'
import { campaignDraft } from '../support/drafts.js'
import { manifestPath } from '../support/files.js'
import { RawConnection } from '../support/raw-connection.js'
import { runService, startService, type Service } from '../support/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { testTokens, writeTokens } from '../support/tokens.js'
import { until } from '../support/until.js'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const EVERYWHERE = { CAMPAIGND_HOST: '0.0.0.0' }

function tokensFile(lines: string, mode = 0o600): string {
  const path = join(temporaryDirectory(), 'tokens')
  writeTokens(path, lines, mode)
  return path
}

function messages({ log }: Service): string[] {
  return log.map(({ msg }) => String(msg))
}

async function statusAs({ url }: Service, token: string): Promise<number> {
  return (await send('GET', `${url}/v1/campaigns`, undefined, { authorization: `Bearer ${token}` })).status
}

describe('a start is refused', () => {
  const refusal = async (environment: Readonly<Record<string, string>>) => {
    const { code, output } = await runService({ dataDir: temporaryDirectory(), environment })
    expect(code, output).toBe(2)
    return output
  }

  test.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', ''])('on %j without tokens', async (host) => {
    expect(await refusal({ CAMPAIGND_HOST: host })).toContain('CAMPAIGND_HOST')
  })

  test.each([0o644, 0o606, 0o777])('with a tokens file of mode %o', async (mode) => {
    const output = await refusal({ ...EVERYWHERE, CAMPAIGND_TOKENS_FILE: tokensFile(testTokens().lines, mode) })
    expect(output).toContain('CAMPAIGND_TOKENS_FILE')
    expect(output).toContain(`0${mode.toString(8)}`)
    expect(output).not.toContain('CAMPAIGND_HOST')
  })

  test('with a bad line, which is named and not shown', async () => {
    const file = tokensFile(`${testTokens().lines}\n\nw9 work cmpd_secret-in-the-wrong-place`)
    for (const environment of [EVERYWHERE, {}]) {
      const output = await refusal({ ...environment, CAMPAIGND_TOKENS_FILE: file })
      expect(output).toContain('line 5')
      expect(output).not.toMatch(/secret|w9/)
    }
  })

  test('with a tokens file that is not there, though anonymous access is allowed', async () => {
    const environment = { CAMPAIGND_ALLOW_ANONYMOUS: 'true', CAMPAIGND_TOKENS_FILE: '/nonexistent/tokens' }
    expect(await refusal({ ...EVERYWHERE, ...environment })).toContain('ENOENT')
  })

  test('with settings that are bad, all of which are named at once', async () => {
    const bad = {
      CAMPAIGND_ALLOWED_HOSTS: 'campaigns.example:8080',
      CAMPAIGND_CORS_ORIGINS: '*',
      CAMPAIGND_TOKENS_FILE: '/nonexistent/tokens',
      CAMPAIGND_HEADERS_TIMEOUT: '0',
      CAMPAIGND_REQUEST_TIMEOUT: 'long',
      CAMPAIGND_KEEP_ALIVE_TIMEOUT: '-1',
      CAMPAIGND_MAX_CONNECTIONS: '0',
      CAMPAIGND_MAX_WAITING: '1.5',
      CAMPAIGND_RATE_LIMIT: '1e9',
      CAMPAIGND_MAX_EXPERIMENTS: '0',
      CAMPAIGND_MAX_LABELS: '',
      CAMPAIGND_MAX_LAG: 'none',
    }
    const output = await refusal(bad)
    for (const name of Object.keys(bad)) expect(output).toContain(name)
  })

  test.each([
    'https://a.example/',
    'https://a.example/path',
    'a.example',
    'null',
    'ftp://a.example',
    'https://a.example:443',
  ])('with %s for an origin', async (origin) => {
    expect(await refusal({ CAMPAIGND_CORS_ORIGINS: `https://ok.example,${origin}` })).toContain(JSON.stringify(origin))
  })

  test('with headers that may take longer than their request', async () => {
    const output = await refusal({ CAMPAIGND_HEADERS_TIMEOUT: '100', CAMPAIGND_REQUEST_TIMEOUT: '60' })
    expect(output).toContain('CAMPAIGND_HEADERS_TIMEOUT must not be more than CAMPAIGND_REQUEST_TIMEOUT')
  })
})

describe('beyond loopback', () => {
  test('it starts with tokens, and says nothing of anonymous access', async () => {
    const { lines, tokenOf } = testTokens()
    const file = tokensFile(lines, 0o640)
    const service = await startService({ environment: { ...EVERYWHERE, CAMPAIGND_TOKENS_FILE: file } })
    expect(messages(service).filter((line) => line.includes('ANYBODY'))).toEqual([])
    const url = service.url.replace('0.0.0.0', '127.0.0.1')
    expect((await send('GET', `${url}/v1/campaigns`)).status).toBe(401)
    expect(await statusAs({ ...service, url }, tokenOf('read'))).toBe(200)
    expect((await send('GET', `${url}/readyz`)).status).toBe(200)
  })

  test('it starts without tokens only when that is allowed, and says so loudly', async () => {
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
})

describe('token create', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, 'token', 'create', ...args], {
      encoding: 'utf8',
      cwd: temporaryDirectory(),
      // That no setting is looked at: a token is made where the service would not start.
      env: { PATH: process.env['PATH'], CAMPAIGND_PORT: 'none' },
    })

  test('prints a token and the line that lets it in', async () => {
    const { status, stdout, stderr } = run('--name', 'w1', '--role', 'work')
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
  ])('with %s makes none', (_what, args) => {
    const { status, stdout, stderr } = run(...args)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^error: /)
  })
})

describe('the tokens file is read again', () => {
  const [first, second] = [createToken('w1', 'read'), createToken('w1', 'read')]
  const begin = async (file: string) => {
    const service = await startService({ environment: { CAMPAIGND_TOKENS_FILE: file } })
    const known = async () => [await statusAs(service, first.token), await statusAs(service, second.token)]
    const news = () => messages(service).filter((line) => /^tokens read again$|tokens file cannot/.test(line))
    expect(await known()).toEqual([200, 401])
    return { service, known, news }
  }

  test('on SIGHUP, at once, and the service goes on', async () => {
    const file = tokensFile(first.line)
    const { service, known, news } = await begin(file)
    writeTokens(file, second.line)
    process.kill(service.pid, 'SIGHUP')
    await until('read again', () => news().length > 0, 1500)
    expect(await known()).toEqual([401, 200])
    process.kill(service.pid, 'SIGHUP')
    await until('read again', () => news().length > 1, 1500)
    expect(await known()).toEqual([401, 200])
    expect(await service.end('SIGTERM')).toBe(0)
  })

  test('when its content changes, with the size and the time of the last one', async () => {
    const file = tokensFile(first.line)
    const { atimeMs, mtimeMs } = statSync(file)
    const { known, news } = await begin(file)
    writeTokens(file, second.line)
    utimesSync(file, atimeMs / 1000, mtimeMs / 1000)
    await until('read again', () => news().length > 0)
    expect(await known()).toEqual([401, 200])
  })

  test('when a link on its way is swapped, as Kubernetes does it', async () => {
    const directory = temporaryDirectory()
    const lay = (version: string, line: string) => {
      mkdirSync(join(directory, version))
      writeTokens(join(directory, version, 'tokens'), line, 0o440)
      symlinkSync(version, join(directory, 'next'))
      renameSync(join(directory, 'next'), join(directory, '..data'))
    }
    lay('..v1', first.line)
    symlinkSync('..data/tokens', join(directory, 'tokens'))
    const { known, news } = await begin(join(directory, 'tokens'))
    lay('..v2', `${first.line}\n${second.line}`)
    rmSync(join(directory, '..v1'), { recursive: true })
    await until('read again', () => news().length > 0)
    expect(await known()).toEqual([200, 200])
    lay('..v3', second.line)
    await until('read again', () => news().length > 1)
    expect(await known()).toEqual([401, 200])
  })

  test('and is not used when it is bad: that is said once, and the tokens before still hold', async () => {
    const file = tokensFile(first.line)
    const { service, known, news } = await begin(file)
    const reasons = () => service.log.filter(({ level }) => level === 50).map(({ reason }) => String(reason))
    writeTokens(file, `${second.line}\nw3 work cmpd_secret`)
    await until('said', () => reasons().length > 0)
    expect(reasons()[0]).toMatch(/^line 2 /)
    expect(await known()).toEqual([200, 401])
    writeTokens(file, '')
    await until('said', () => reasons().length > 1)
    writeTokens(file, second.line, 0o644)
    await until('said', () => reasons().length > 2)
    rmSync(file)
    await until('said', () => reasons().length > 3)
    await sleep(2500)
    expect(reasons()).toHaveLength(4)
    expect(await known()).toEqual([200, 401])
    writeTokens(file, second.line)
    await until('read again', () => news().length > 4)
    expect(await known()).toEqual([401, 200])
    expect(JSON.stringify(service.log)).not.toMatch(/secret|cmpd_/)
  })
})

test('without a tokens file SIGHUP ends it in order, as when a terminal is closed', async () => {
  const service = await startService()
  expect(await service.end('SIGHUP')).toBe(0)
})

test('files are for the owner alone, whatever the umask says, and a directory that was open is shut', async () => {
  const dataDir = join(temporaryDirectory(), 'data')
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  const wrapper = ['sh', '-c', 'umask 0; exec "$@"', 'sh']
  const first = await startService({ dataDir, wrapper })
  await send('POST', `${first.url}/v1/campaigns`, campaignDraft(2))
  await send('PATCH', `${first.url}/v1/campaigns/sweep/experiments/0001`, { status: 'running' })
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

describe('limits', () => {
  test('a client that drips its headers is gone within 20 s, and sooner when told', async () => {
    const [byDefault, told] = [
      await startService(),
      await startService({ environment: { CAMPAIGND_HEADERS_TIMEOUT: '1' } }),
    ]
    const [slow, quick] = await Promise.all([byDefault, told].map(({ url }) => dripUntilGone(url)))
    expect(quick).toBeLessThan(5000)
    expect(slow).toBeGreaterThan(10_000)
    expect(slow).toBeLessThan(20_000)
  })

  test('a body that does not come to an end is given up', async () => {
    const environment = { CAMPAIGND_HEADERS_TIMEOUT: '1', CAMPAIGND_REQUEST_TIMEOUT: '2' }
    const { url } = await startService({ environment })
    const connection = await RawConnection.open(url)
    const began = performance.now()
    connection.write(
      'POST /v1/campaigns HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    )
    await connection.closed
    expect(performance.now() - began).toBeLessThan(6000)
    expect(connection.answers().map(({ status }) => status)).toEqual([408])
  })

  test('an idle connection is kept as long as is told', async () => {
    const { url } = await startService({ environment: { CAMPAIGND_KEEP_ALIVE_TIMEOUT: '1' } })
    const connection = await RawConnection.open(url)
    connection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await connection.closed
    expect(connection.answers().map(({ status }) => status)).toEqual([200])
  })

  test('more connections than are allowed are closed at once, and the others go on', async () => {
    const { url } = await startService({ environment: { CAMPAIGND_MAX_CONNECTIONS: '3' } })
    const connections = [await RawConnection.open(url), await RawConnection.open(url), await RawConnection.open(url)]
    const refused = await RawConnection.open(url)
    await refused.closed
    expect(refused.answers()).toEqual([])
    for (const connection of connections) {
      connection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await until('an answer', () => connection.answers().length === 1)
      expect(connection.isClosed).toBe(false)
    }
    connections[0]?.reset()
    await expect.poll(async () => (await fetch(`${url}/healthz`).catch(() => null))?.status).toBe(200)
    for (const connection of connections) connection.reset()
  })

  test('a Host that is empty is refused', async () => {
    const { url } = await startService()
    const connection = await RawConnection.open(url)
    connection.write('GET /v1/campaigns HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')
    await connection.closed
    expect(connection.answers().map(({ status }) => status)).toEqual([421])
  })

  test('a service that was held up refuses the reads that have waited meanwhile, takes the writes, and recovers', async () => {
    const { url, pid } = await startService({ environment: { CAMPAIGND_MAX_LAG: '500' } })
    await send('POST', `${url}/v1/campaigns`, campaignDraft(3))
    const sweep = `${url}/v1/campaigns/sweep`
    await send('POST', `${sweep}/claims`, { worker: 'w1' })
    // Connections that are open already: what comes over them waits for nothing but the service.
    await Promise.all(Array.from({ length: 5 }, () => send('GET', `${url}/healthz`)))
    process.kill(pid, 'SIGSTOP')
    const calls = [
      send('GET', sweep),
      send('GET', `${sweep}/progress`),
      send('PATCH', `${sweep}/experiments/0002`, { status: 'running' }),
      send('POST', `${sweep}/experiments/0001/heartbeat`, { attempt: 1, worker: 'w1' }),
      send('GET', `${url}/healthz`),
    ]
    await sleep(900)
    process.kill(pid, 'SIGCONT')
    const answers = await Promise.all(calls)
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 200, 200, 200])
    expect(answers[0]?.headers.get('retry-after')).toBe('1')
    await expect.poll(async () => (await send('GET', sweep)).status).toBe(200)
  })
})

async function dripUntilGone(url: string): Promise<number> {
  const connection = await RawConnection.open(url)
  const began = performance.now()
  connection.write('GET /v1/campaigns HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
  const drip = setInterval(() => connection.write('x'), 250)
  await connection.closed
  clearInterval(drip)
  expect(connection.answers().map(({ status }) => status)).toEqual([408])
  return performance.now() - began
}
