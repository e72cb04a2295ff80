import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createToken } from '#campaignd/auth/tokens.js'
import { messages, startService } from '../support/service/service.js'
import { statusAs, tokensFile, writeTokens } from '../support/service/tokens.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

const [first, second] = [createToken('w1', 'read'), createToken('w1', 'read')]

async function begin(file: string) {
  const service = await startService({ environment: { CAMPAIGND_TOKENS_FILE: file } })
  const known = async () => [await statusAs(service, first.token), await statusAs(service, second.token)]
  const readings = () => messages(service).filter((line) => /^tokens read again$|tokens file cannot/.test(line))
  expect(await known()).toEqual([200, 401])
  return { service, known, readings }
}

test('the tokens file is read again on SIGHUP, and the service goes on', async () => {
  const file = tokensFile(first.line)
  const { service, known, readings } = await begin(file)
  writeTokens(file, second.line)
  process.kill(service.pid, 'SIGHUP')
  await until('read again', () => readings().length > 0)
  expect(await known()).toEqual([401, 200])
  process.kill(service.pid, 'SIGHUP')
  await until('read again', () => readings().length > 1)
  expect(await known()).toEqual([401, 200])
  expect(await service.end('SIGTERM')).toBe(0)
})

test('the tokens file is read again when its content changes, with the size and the time of the last one', async () => {
  const file = tokensFile(first.line)
  const { atimeMs, mtimeMs } = statSync(file)
  const { known, readings } = await begin(file)
  writeTokens(file, second.line)
  utimesSync(file, atimeMs / 1000, mtimeMs / 1000)
  await until('read again', () => readings().length > 0)
  expect(await known()).toEqual([401, 200])
})

test('the tokens file is read again when a link on its way is swapped, as Kubernetes does it', async () => {
  const directory = temporaryDirectory()
  const lay = (version: string, line: string) => {
    mkdirSync(join(directory, version))
    writeTokens(join(directory, version, 'tokens'), line, 0o440)
    symlinkSync(version, join(directory, 'next'))
    renameSync(join(directory, 'next'), join(directory, '..data'))
  }
  lay('..v1', first.line)
  symlinkSync('..data/tokens', join(directory, 'tokens'))
  const { known, readings } = await begin(join(directory, 'tokens'))
  lay('..v2', `${first.line}\n${second.line}`)
  rmSync(join(directory, '..v1'), { recursive: true })
  await until('read again', () => readings().length > 0)
  expect(await known()).toEqual([200, 200])
  lay('..v3', second.line)
  await until('read again', () => readings().length > 1)
  expect(await known()).toEqual([401, 200])
})

test('a tokens file that has become bad is reported once, and the tokens before still hold', async () => {
  const file = tokensFile(first.line)
  const { service, known, readings } = await begin(file)
  const reasons = () => service.log.filter(({ level }) => level === 50).map(({ reason }) => String(reason))
  writeTokens(file, `${second.line}\nw3 work cmpd_secret`)
  await until('the report', () => reasons().length > 0)
  expect(reasons()[0]).toMatch(/^line 2 /)
  expect(await known()).toEqual([200, 401])
  writeTokens(file, '')
  await until('the report', () => reasons().length > 1)
  writeTokens(file, second.line, 0o644)
  await until('the report', () => reasons().length > 2)
  rmSync(file)
  await until('the report', () => reasons().length > 3)
  await sleep(2500)
  expect(reasons()).toHaveLength(4)
  expect(await known()).toEqual([200, 401])
  writeTokens(file, second.line)
  await until('read again', () => readings().length > 4)
  expect(await known()).toEqual([401, 200])
  expect(JSON.stringify(service.log)).not.toMatch(/secret|cmpd_/)
})
