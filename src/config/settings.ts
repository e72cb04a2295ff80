import { DEFAULT_LIMITS } from '../http/limits.ts'

const MIB = 1024 * 1024

export const DURABILITIES = ['fsync', 'os'] as const
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Each setting is an environment variable and a flag; the flag wins. */
export const SETTINGS = {
  host: { flag: '--host <address>', fallback: '127.0.0.1', about: 'address to listen on' },
  port: { flag: '--port <number>', fallback: '8080', about: 'port to listen on; 0: any free port, which is logged' },
  allowAnonymous: {
    flag: '--allow-anonymous <true|false>',
    fallback: 'false',
    about: 'listen beyond loopback without tokens: everybody who can reach the port may do anything',
  },
  tokensFile: {
    flag: '--tokens-file <path>',
    fallback: '',
    about: 'file of tokens, lines "name role sha256:<hex>"; read again when it changes and on SIGHUP',
  },
  allowedHosts: {
    flag: '--allowed-hosts <names>',
    fallback: '',
    about: 'host names, separated by commas, that clients may use beside localhost and IP addresses',
  },
  corsOrigins: {
    flag: '--cors-origins <origins>',
    fallback: '',
    about: 'origins, separated by commas, whose pages may call the service',
  },
  openMetrics: {
    flag: '--open-metrics <true|false>',
    fallback: 'false',
    about: 'serve /metrics without a token, even when there is a tokens file',
  },
  dataDir: {
    flag: '--data-dir <path>',
    fallback: './data',
    about: 'directory that holds the manifests; created when missing',
  },
  durability: {
    flag: '--durability <fsync|os>',
    fallback: 'fsync',
    about: 'what an acknowledged change survives; fsync: a power cut; os: only a crash of the service',
  },
  logLevel: { flag: '--log-level <level>', fallback: 'info', about: LOG_LEVELS.join(', ') },
  bodyLimit: {
    flag: '--body-limit <size>',
    fallback: `${DEFAULT_LIMITS.bodyLimit / MIB}MiB`,
    about: 'largest body of a create or append, in bytes, KiB or MiB; other bodies may have 1 MiB at most',
  },
  headersTimeout: {
    flag: '--headers-timeout <seconds>',
    fallback: String(DEFAULT_LIMITS.headersTimeout),
    about: 'time to receive the headers of a request',
  },
  requestTimeout: {
    flag: '--request-timeout <seconds>',
    fallback: String(DEFAULT_LIMITS.requestTimeout),
    about: 'time to receive a whole request',
  },
  keepAliveTimeout: {
    flag: '--keep-alive-timeout <seconds>',
    fallback: String(DEFAULT_LIMITS.keepAliveTimeout),
    about: 'how long an idle connection is kept; set it longer than a proxy in front of the service keeps its own',
  },
  maxConnections: {
    flag: '--max-connections <number>',
    fallback: String(DEFAULT_LIMITS.maxConnections),
    about: 'open connections; further ones are closed at once',
  },
  maxWaiting: {
    flag: '--max-waiting <number>',
    fallback: String(DEFAULT_LIMITS.maxWaiting),
    about: 'long polls held at the same time',
  },
  maxStreams: {
    flag: '--max-streams <number>',
    fallback: String(DEFAULT_LIMITS.maxStreams),
    about: 'event streams open at the same time',
  },
  maxStreamsPerAddress: {
    flag: '--max-streams-per-address <number>',
    fallback: String(DEFAULT_LIMITS.maxStreamsPerAddress),
    about: 'event streams open at the same time from one address; 0: any number',
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
    about: 'event loop delay above which reads are refused, and writes above four times that; 0: never',
  },
} as const

export type Setting = keyof typeof SETTINGS

/** The settings as they were given, each as text. */
export type GivenSettings = Readonly<Record<Setting, string>>

/** The name of a setting in the environment: `dataDir` is `CAMPAIGND_DATA_DIR`. */
export function variableOf(setting: Setting): string {
  return `CAMPAIGND_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}
