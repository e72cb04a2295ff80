import { expect, test } from 'vitest'
import { type Config, ConfigError, isLoopback, readCommand } from '#campaignd/config.js'

const ARGV = ['node', 'campaignd']

function configOf(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Config {
  const command = readCommand([...ARGV, ...flags], env, '1.2.3')
  if (command.kind !== 'serve') throw new Error(`it is the command ${command.kind}`)
  return command.config
}

function faultsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    configOf([], env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

test('without settings the service listens on loopback and flushes each commit', () => {
  expect(configOf()).toMatchObject({ host: '127.0.0.1', port: 8080, durability: 'fsync', tokens: null })
})

test('a flag wins over the environment', () => {
  const env = { CAMPAIGND_PORT: '9000', CAMPAIGND_MAX_LAG: '5' }
  expect(configOf(['--port', '9001'], env)).toMatchObject({ port: 9001, limits: { maxLag: 5 } })
})

test('all faults of the settings are reported at once, each with its variable', () => {
  const faults = faultsOf({ CAMPAIGND_PORT: 'high', CAMPAIGND_MAX_CAMPAIGN_BYTES: '1TiB', CAMPAIGND_HOST: '0.0.0.0' })
  expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual([
    'CAMPAIGND_HOST',
    'CAMPAIGND_MAX_CAMPAIGN_BYTES',
    'CAMPAIGND_PORT',
  ])
})

test.each([
  ['CAMPAIGND_PORT', '65536', 'is "65536", but must be a number from 0 to 65535'],
  ['CAMPAIGND_MAX_LAG', '1.5', 'is "1.5", but must be a whole number from 0 to 60000'],
  ['CAMPAIGND_OPEN_METRICS', 'yes', 'is "yes", but must be true or false'],
  ['CAMPAIGND_MAX_CAMPAIGN_BYTES', '1B', 'is "1B", but must be a size from 512KiB to 256MiB, such as 64MiB'],
  ['CAMPAIGND_MAX_CAMPAIGN_BYTES', '257MiB', 'is "257MiB", but must be a size from 512KiB to 256MiB, such as 64MiB'],
  ['CAMPAIGND_DURABILITY', 'none', 'is "none", but must be one of fsync, os'],
  ['CAMPAIGND_DATA_DIR', '', 'must not be empty'],
])('%s=%s is refused with what it must be', (name, value, fault) => {
  expect(faultsOf({ [name]: value })).toEqual([`${name} ${fault}`])
})

test('sizes are read in bytes, KiB and MiB', () => {
  const read = (size: string) => configOf([], { CAMPAIGND_MAX_CAMPAIGN_BYTES: size }).limits.maxCampaignBytes
  expect(['524288', '512KiB', '2 MiB'].map(read)).toEqual([524_288, 524_288, 2 * 1024 * 1024])
})

test.each([
  ['in the environment', [], { CAMPAIGND_BODY_LIMIT: '16MiB' }],
  ['as a flag', ['--body-limit', '16MiB'], {}],
])('a setting that is none any more, %s, is refused with what to do', (_where, flags, env) => {
  expect(() => configOf(flags, env)).toThrow(
    /^CAMPAIGND_BODY_LIMIT is no setting any more: leave it out.*CAMPAIGND_MAX_CAMPAIGN_BYTES/,
  )
})

test('a token is asked for by a command of its own', () => {
  const argv = [...ARGV, 'token', 'create', '--name', 'gpu-node-1', '--role', 'work']
  expect(readCommand(argv, {}, '1.2.3')).toEqual({ kind: 'create-token', name: 'gpu-node-1', role: 'work' })
})

test.each(['localhost', '::1', '127.0.0.1', '127.9.9.9'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true)
})

test.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example'])('%s can be reached by other machines', (host) => {
  expect(isLoopback(host)).toBe(false)
})
