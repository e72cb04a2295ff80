import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTokensFile } from '#campaignd/auth/tokens-file.js'
import { testTokens, writeTokens } from '../support/service/tokens.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

test.each([0o600, 0o640, 0o400, 0o440])('a tokens file of mode %o is read', (mode) => {
  const path = join(temporaryDirectory(), 'tokens')
  writeTokens(path, testTokens().lines, mode)
  expect(readTokensFile(path).tokens.count).toBe(3)
})

test.each([0o644, 0o604, 0o602, 0o601, 0o777])('a tokens file of mode %o, which others can use, is refused', (mode) => {
  const path = join(temporaryDirectory(), 'tokens')
  writeTokens(path, testTokens().lines, mode)
  expect(() => readTokensFile(path)).toThrow(`its mode is 0${mode.toString(8)}, so others can use it`)
})

test.each([0o660, 0o620])('a tokens file of mode %o, which its group can change, is refused', (mode) => {
  const path = join(temporaryDirectory(), 'tokens')
  writeTokens(path, testTokens().lines, mode)
  expect(() => readTokensFile(path)).toThrow(`its mode is 0${mode.toString(8)}, so its group can change it`)
})

test('the mode of the tokens file counts, not that of a link to it', () => {
  const directory = temporaryDirectory()
  writeTokens(join(directory, 'file'), testTokens().lines)
  symlinkSync('file', join(directory, 'link'))
  expect(readTokensFile(join(directory, 'link')).tokens.count).toBe(3)
  chmodSync(join(directory, 'file'), 0o644)
  expect(() => readTokensFile(join(directory, 'link'))).toThrow('its mode is 0644')
})

test('a tokens file that is missing or not a regular file is refused', () => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'directory'), { mode: 0o700 })
  expect(() => readTokensFile(join(directory, 'missing'))).toThrow('it cannot be read (ENOENT)')
  expect(() => readTokensFile(join(directory, 'directory'))).toThrow('it is not a regular file')
  expect(() => readTokensFile('/dev/zero')).toThrow('it is not a regular file')
})
