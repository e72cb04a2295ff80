import { resolve } from 'node:path'
import { Command, Option } from 'commander'

/** All settings, checked. Nothing else reads the environment or the command line. */
export interface Config {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly dataDir: string
  readonly durability: (typeof DURABILITIES)[number]
  readonly logLevel: (typeof LOG_LEVELS)[number]
  /** Bytes. */
  readonly bodyLimit: number
}

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
    about: 'listen beyond loopback though anybody who gets there may do anything',
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
    fallback: '16MiB',
    about: 'largest body for creating and appending, in bytes, KiB or MiB; other calls take no more than 1 MiB',
  },
} as const

/**
 * Reads and checks the settings. Asked for help or version it prints that and ends the process.
 *
 * @param argv as in `process.argv`
 * @throws ConfigError with every fault there is
 */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv, version: string): Config {
  const given = readGiven(argv, env, version)
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
  const config: Config = {
    host: check('host', (host) => checkHost(host, allowAnonymous)),
    port: check('port', readPort),
    dataDir: check('dataDir', readPath),
    durability: check('durability', (text) => oneOf(text, DURABILITIES)),
    logLevel: check('logLevel', (text) => oneOf(text, LOG_LEVELS)),
    bodyLimit: check('bodyLimit', readSize),
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return Object.freeze(config)
}

function readGiven(argv: readonly string[], env: NodeJS.ProcessEnv, version: string): Given {
  const command = new Command('campaignd')
    .description('Keeps the manifests of benchmark campaigns: durable, over HTTP, resumable after any crash.')
    .version(version)
    .allowExcessArguments(false)
    .addHelpText(
      'after',
      '\nEach option can be given by the environment too, by the name in parentheses; the flag wins.',
    )
  for (const [setting, { flag, fallback, about }] of Object.entries(SETTINGS)) {
    const name = variable(setting as keyof Given)
    command.addOption(new Option(flag, `${about} (${name})`).default(env[name] ?? fallback, fallback))
  }
  return command.parse(argv).opts<Given>()
}

/** `dataDir` is `CAMPAIGND_DATA_DIR`. */
function variable(setting: keyof Given): string {
  return `CAMPAIGND_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** What is wrong with one setting, to be put after its name. */
class Fault extends Error {}

function checkHost(host: string, allowAnonymous: boolean): string {
  if (host === '') throw new Fault('must not be empty')
  if (isLoopback(host) || allowAnonymous) return host
  throw new Fault(
    `is ${host}, which others can reach, and there is nothing that would tell them apart. ` +
      'Listen on 127.0.0.1, or set CAMPAIGND_ALLOW_ANONYMOUS=true if everybody on that network may do anything',
  )
}

function isLoopback(host: string): boolean {
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
