import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startService } from '../support/service/service.js'
import { testTokens, tokensFile } from '../support/service/tokens.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { isUsable } from '../support/tools.js'

const CONFIG = fileURLToPath(new URL('../schemathesis.toml', import.meta.url))
const HOOKS = fileURLToPath(new URL('../schemathesis_hooks.py', import.meta.url))
/** Cases for each call in the phase of fuzzing; the other phases make as many as they need. */
const EXAMPLES = process.env['SCHEMATHESIS_EXAMPLES'] ?? '5'
const MAX_MINUTES = 20

const { lines, tokenOf } = testTokens()

/** Runs all checks of all phases. @returns its exit code, and what it printed */
function attack(url: string, args: readonly string[]): Promise<{ readonly code: unknown; readonly output: string }> {
  const all = [
    '--config-file',
    CONFIG,
    'run',
    `${url}/openapi.json`,
    '--max-examples',
    EXAMPLES,
    '--seed',
    '1',
    ...args,
  ]
  return new Promise((resolve) => {
    const env = { ...process.env, SCHEMATHESIS_HOOKS: HOOKS }
    execFile('schemathesis', all, { cwd: temporaryDirectory(), env, maxBuffer: Infinity }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, output: `${stdout}\n${stderr}` })
    })
  })
}

test.skipIf(!isUsable('schemathesis', ['schemathesis', '--version'])).each([
  { with: 'no token, where none is needed', isGuarded: false, args: [] },
  { with: 'a token', isGuarded: true, args: ['--header', `Authorization: Bearer ${tokenOf('admin')}`] },
  { with: 'no token, where one is needed', isGuarded: true, args: [] },
])(
  'schemathesis finds nothing that differs from the document, with $with',
  async ({ isGuarded, args }) => {
    const tokens = isGuarded ? { CAMPAIGND_TOKENS_FILE: tokensFile(lines) } : {}
    // What is late is refused, and the machine may be busy.
    const service = await startService({ environment: { CAMPAIGND_MAX_LAG: '0', ...tokens } })
    const { code, output } = await attack(service.url, args)
    expect(output).toContain('Fuzzing')
    expect(code, output.slice(-20_000)).toBe(0)
  },
  MAX_MINUTES * 60_000,
)
