import { resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { readTokensFile } from './auth/tokens-file.ts'
import { isName, NAME_RULE, TokensError, type Tokens } from './auth/tokens.ts'
import { ROLES, type Role } from './auth/role.ts'
import { DEFAULT_LIMITS, type Limits } from './http/limits.ts'
import { MAX_EXPERIMENTS } from './domain/operations/draft.ts'

/** All settings, checked. Nothing else reads the environment or the command line. */
export interface Config {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly dataDir: string
  readonly durability: (typeof DURABILITIES)[number]
  readonly logLevel: (typeof LOG_LEVELS)[number]
  /** Null: there are none, and anybody may do anything. */
  readonly tokens: TokensSetting | null
  /** Names beside localhost by which the service may be called. */
  readonly allowedHosts: readonly string[]
  readonly corsOrigins: readonly string[]
  /** Whether /metrics needs no token. */
  readonly openMetrics: boolean
  readonly limits: Limits
}

export interface TokensSetting {
  readonly file: string
  /** As the file has them at the start. */
  readonly tokens: Tokens
}

/** What the process was started for. */
export type ServiceCommand =
  | { readonly kind: 'serve'; readonly config: Config }
  | { readonly kind: 'create-token'; readonly name: string; readonly role: Role }

const MIB = 1024 * 1024
const DURABILITIES = ['fsync', 'os'] as const
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** What is wrong with the settings, each fault a sentence that names its setting. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'))
  }
}

type Given = Readonly<Record<keyof typeof SETTINGS, string>>

/** Each setting is an environment variable and a flag; the flag wins. */
const SETTINGS = {
  host: { flag: '--host <address>', fallback: '127.0.0.1', about: 'address to listen on' },
  port: { flag: '--port <number>', fallback: '8080', about: 'port to listen on; 0: any free one, which is printed' },
  allowAnonymous: {
    flag: '--allow-anonymous <true|false>',
    fallback: 'false',
    about: 'listen beyond loopback without tokens, though anybody who gets there may do anything',
  },
  tokensFile: {
    flag: '--tokens-file <path>',
    fallback: '',
    about: 'who may call: lines "name role sha256:<hex>"; read again when it changes and on SIGHUP',
  },
  allowedHosts: {
    flag: '--allowed-hosts <names>',
    fallback: '',
    about: 'names, with commas between, by which the service may be called beside localhost and any address',
  },
  corsOrigins: {
    flag: '--cors-origins <origins>',
    fallback: '',
    about: 'origins, with commas between, whose pages may call the service',
  },
  openMetrics: {
    flag: '--open-metrics <true|false>',
    fallback: 'false',
    about: 'give /metrics to whoever asks, though there are tokens',
  },
  dataDir: { flag: '--data-dir <path>', fallback: './data', about: 'where the manifests are kept; made when missing' },
  durability: {
    flag: '--durability <fsync|os>',
    fallback: 'fsync',
    about: 'fsync: acknowledged survives a power cut; os: only a crash of the service',
  },
  logLevel: { flag: '--log-level <level>', fallback: 'info', about: LOG_LEVELS.join(', ') },
  bodyLimit: {
    flag: '--body-limit <size>',
    fallback: `${DEFAULT_LIMITS.bodyLimit / MIB}MiB`,
    about: 'largest body for creating and appending, in bytes, KiB or MiB; other calls take no more than 1 MiB',
  },
  headersTimeout: {
    flag: '--headers-timeout <seconds>',
    fallback: String(DEFAULT_LIMITS.headersTimeout),
    about: 'in which the headers of a request must have come',
  },
  requestTimeout: {
    flag: '--request-timeout <seconds>',
    fallback: String(DEFAULT_LIMITS.requestTimeout),
    about: 'in which a whole request must have come',
  },
  keepAliveTimeout: {
    flag: '--keep-alive-timeout <seconds>',
    fallback: String(DEFAULT_LIMITS.keepAliveTimeout),
    about: 'for which a connection is kept without a request; longer than a proxy before the service keeps it',
  },
  maxConnections: {
    flag: '--max-connections <number>',
    fallback: String(DEFAULT_LIMITS.maxConnections),
    about: 'open at the same time; more are closed at once',
  },
  maxWaiting: {
    flag: '--max-waiting <number>',
    fallback: String(DEFAULT_LIMITS.maxWaiting),
    about: 'calls held at the same time until something changes',
  },
  maxStreams: {
    flag: '--max-streams <number>',
    fallback: String(DEFAULT_LIMITS.maxStreams),
    about: 'streams of events open at the same time',
  },
  maxStreamsPerAddress: {
    flag: '--max-streams-per-address <number>',
    fallback: String(DEFAULT_LIMITS.maxStreamsPerAddress),
    about: 'streams of events open at the same time from one address; 0: any number',
  },
  rateLimit: {
    flag: '--rate-limit <number>',
    fallback: String(DEFAULT_LIMITS.rateLimit),
    about: 'requests a second of one token, or of one address without tokens; 0: any number',
  },
  maxExperiments: {
    flag: '--max-experiments <number>',
    fallback: String(DEFAULT_LIMITS.maxExperiments),
    about: 'experiments in one campaign',
  },
  maxLabels: {
    flag: '--max-labels <number>',
    fallback: String(DEFAULT_LIMITS.maxLabels),
    about: 'labels of one campaign',
  },
  maxLag: {
    flag: '--max-lag <milliseconds>',
    fallback: String(DEFAULT_LIMITS.maxLag),
    about: 'by which the service may be late before reads are refused, writes at four times that; 0: any',
  },
} as const

/**
 * Reads what is to be done, and for a service the settings, which are checked. Asked for help or version it prints that and
 * ends the process.
 *
 * @param argv as in `process.argv`
 * @throws ConfigError with every fault there is
 */
export function readCommand(argv: readonly string[], env: NodeJS.ProcessEnv, version: string): ServiceCommand {
  const given = readGiven(argv, env, version)
  return 'kind' in given ? given : { kind: 'serve', config: checkSettings(given) }
}

function checkSettings(given: Given): Config {
  const faults: string[] = []
  const check = <T>(setting: keyof Given, read: (text: string) => T): T => {
    try {
      return read(given[setting])
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      faults.push(`${variable(setting)} ${error.message}`)
      // Never looked at: a fault ends in the throw below.
      return undefined as T
    }
  }
  const allowAnonymous = check('allowAnonymous', readBoolean)
  const limits: Limits = {
    bodyLimit: check('bodyLimit', readSize),
    headersTimeout: check('headersTimeout', integer(1, 300)),
    requestTimeout: check('requestTimeout', integer(1, 3600)),
    keepAliveTimeout: check('keepAliveTimeout', integer(1, 3600)),
    maxConnections: check('maxConnections', integer(1, 1_000_000)),
    maxWaiting: check('maxWaiting', integer(0, 1_000_000)),
    maxStreams: check('maxStreams', integer(0, 1_000_000)),
    maxStreamsPerAddress: check('maxStreamsPerAddress', integer(0, 1_000_000)),
    rateLimit: check('rateLimit', integer(0, 1_000_000)),
    maxExperiments: check('maxExperiments', integer(1, MAX_EXPERIMENTS)),
    maxLabels: check('maxLabels', integer(0, 10_000)),
    maxLag: check('maxLag', integer(0, 60_000)),
  }
  if (limits.headersTimeout > limits.requestTimeout) {
    faults.push(`${variable('headersTimeout')} must not be more than ${variable('requestTimeout')}`)
  }
  const isGuarded = given.tokensFile !== ''
  const config: Config = {
    host: check('host', (host) => checkHost(host, allowAnonymous || isGuarded)),
    port: check('port', readPort),
    dataDir: check('dataDir', readPath),
    durability: check('durability', (text) => oneOf(text, DURABILITIES)),
    logLevel: check('logLevel', (text) => oneOf(text, LOG_LEVELS)),
    tokens: check('tokensFile', readTokens),
    allowedHosts: check('allowedHosts', readHosts),
    corsOrigins: check('corsOrigins', readOrigins),
    openMetrics: check('openMetrics', readBoolean),
    limits,
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return Object.freeze(config)
}

type CreateTokenCommand = Extract<ServiceCommand, { readonly kind: 'create-token' }>

function readGiven(argv: readonly string[], env: NodeJS.ProcessEnv, version: string): Given | CreateTokenCommand {
  let errand: CreateTokenCommand | undefined
  const command = new Command('campaignd')
    .description('Keeps the manifests of benchmark campaigns: durable, over HTTP, resumable after any crash.')
    .version(version)
    .allowExcessArguments(false)
    // With a command beside it, it would print its help instead.
    .action(() => undefined)
    .addHelpText(
      'after',
      '\nEach option can be given by the environment too, by the name in parentheses; the flag wins.',
    )
  for (const [setting, { flag, fallback, about }] of Object.entries(SETTINGS)) {
    const name = variable(setting as keyof Given)
    command.addOption(new Option(flag, `${about} (${name})`).default(env[name] ?? fallback, fallback))
  }
  command
    .command('token')
    .description('make tokens for the tokens file')
    .command('create')
    .description('make a token: it is printed once, with the line for the tokens file, and kept nowhere')
    .requiredOption('--name <name>', 'whose it is, for the log', readName)
    .addOption(new Option('--role <role>', 'what he may do').choices(ROLES).makeOptionMandatory())
    .action((options: Omit<CreateTokenCommand, 'kind'>) => {
      errand = { kind: 'create-token', ...options }
    })
  command.parse(argv)
  return errand ?? command.opts<Given>()
}

function readName(text: string): string {
  if (!isName(text)) throw new InvalidArgumentError(`${NAME_RULE}.`)
  return text
}

/** `dataDir` is `CAMPAIGND_DATA_DIR`. */
function variable(setting: keyof Given): string {
  return `CAMPAIGND_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** What is wrong with one setting, to be put after its name. */
class Fault extends Error {}

function checkHost(host: string, isAnywhereAllowed: boolean): string {
  if (host === '') throw new Fault('must not be empty')
  if (isLoopback(host) || isAnywhereAllowed) return host
  throw new Fault(
    `is ${host}, which others can reach, and there is nothing that would tell them apart. ` +
      'Give a CAMPAIGND_TOKENS_FILE, listen on 127.0.0.1, or set CAMPAIGND_ALLOW_ANONYMOUS=true if everybody on that network ' +
      'may do anything',
  )
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  const hint = text.startsWith('tcp://')
    ? '. Kubernetes sets it for a service of the name campaignd: set enableServiceLinks: false, or give the --port flag'
    : ''
  throw new Fault(`is ${JSON.stringify(text)}, but must be a number from 0 to 65535${hint}`)
}

function readPath(text: string): string {
  if (text === '') throw new Fault('must not be empty')
  return resolve(text)
}

function readTokens(path: string): TokensSetting | null {
  if (path === '') return null
  const file = resolve(path)
  try {
    return { file, tokens: readTokensFile(file) }
  } catch (error) {
    if (error instanceof TokensError) throw new Fault(`is ${file}: ${error.message}`)
    throw error
  }
}

const HOST_NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/

function readHosts(text: string): string[] {
  const names = list(text).map((name) => name.toLowerCase())
  const bad = names.find((name) => name.length > 253 || !HOST_NAME.test(name))
  if (bad === undefined) return names
  throw new Fault(`has ${JSON.stringify(bad)}, but must be host names without scheme or port, with commas between`)
}

function readOrigins(text: string): string[] {
  const origins = list(text)
  const bad = origins.find(
    (origin) => !/^https?:/.test(origin) || !URL.canParse(origin) || new URL(origin).origin !== origin,
  )
  if (bad === undefined) return origins
  throw new Fault(
    `has ${JSON.stringify(bad)}, but must be origins such as https://dashboard.example, with commas between`,
  )
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function integer(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,9}$/.test(text) && value >= from && value <= to) return value
    throw new Fault(`is ${JSON.stringify(text)}, but must be a whole number from ${from} to ${to}`)
  }
}

function readBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new Fault(`is ${JSON.stringify(text)}, but must be true or false`)
}

function readSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+) ?(KiB|MiB)?$/.exec(text) ?? []
  const size = Number(digits) * (unit === 'MiB' ? 1024 * 1024 : unit === 'KiB' ? 1024 : 1)
  if (digits !== '' && size >= 1024 && size <= 512 * 1024 * 1024) return size
  throw new Fault(`is ${JSON.stringify(text)}, but must be a size from 1KiB to 512MiB, such as 16MiB`)
}

function oneOf<const T extends readonly string[]>(text: string, values: T): T[number] {
  if (values.includes(text)) return text
  throw new Fault(`is ${JSON.stringify(text)}, but must be one of ${values.join(', ')}`)
}
