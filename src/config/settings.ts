import { DEFAULT_LIMITS as LIMITS } from '../http/limits.ts'
import { MIB } from './values.ts'

export const DURABILITIES = ['fsync', 'os'] as const
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Each setting is a flag and an environment variable, both named by its key; the flag wins. */
export const SETTINGS = {
  host: setting('address', '127.0.0.1', 'address to listen on'),
  port: setting('number', 8080, 'port to listen on; 0: any free port, which is logged'),
  allowAnonymous: setting('true|false', 'false', 'listen beyond loopback without tokens: every caller may do anything'),
  tokensFile: setting(
    'path',
    '',
    'tokens, in lines "name role sha256:<hex>"; read again when it changes and on SIGHUP',
  ),
  allowedHosts: setting(
    'names',
    '',
    'host names of the service beside localhost and IP addresses, separated by commas',
  ),
  corsOrigins: setting('origins', '', 'origins whose pages may call the service, separated by commas'),
  openMetrics: setting('true|false', 'false', 'serve /metrics without a token, even when there is a tokens file'),
  dataDir: setting('path', './data', 'directory of the manifests; created when missing'),
  durability: setting('fsync|os', 'fsync', 'what acknowledged changes survive: a power cut (fsync), or a crash (os)'),
  logLevel: setting('level', 'info', LOG_LEVELS.join(', ')),
  headersTimeout: setting('seconds', LIMITS.headersTimeout, 'time to receive the headers of a request'),
  requestTimeout: setting('seconds', LIMITS.requestTimeout, 'time to receive a whole request'),
  keepAliveTimeout: setting(
    'seconds',
    LIMITS.keepAliveTimeout,
    'how long an idle connection is kept; set it longer than a proxy in front of the service keeps its own',
  ),
  maxConnections: setting('number', LIMITS.maxConnections, 'open connections; further ones are closed at once'),
  maxUnsentBytes: setting(
    'size',
    `${LIMITS.maxUnsentBytes / MIB}MiB`,
    'bytes of responses that clients have not taken; beyond it those that stand still are cut off',
  ),
  maxWaiting: setting('number', LIMITS.maxWaiting, 'long polls that wait at the same time'),
  maxStreams: setting('number', LIMITS.maxStreams, 'event streams open at the same time'),
  maxStreamsPerAddress: setting('number', LIMITS.maxStreamsPerAddress, 'event streams of one address; 0: any number'),
  rateLimit: setting(
    'number',
    LIMITS.rateLimit,
    'requests a second of one token, or without one of an address; 0: any',
  ),
  maxExperiments: setting('number', LIMITS.maxExperiments, 'experiments in one campaign'),
  maxCampaignBytes: setting(
    'size',
    `${LIMITS.maxCampaignBytes / MIB}MiB`,
    'manifest of one campaign; the limits of request bodies follow from it',
  ),
  maxLabels: setting('number', LIMITS.maxLabels, 'labels of one campaign'),
  maxLag: setting(
    'milliseconds',
    LIMITS.maxLag,
    'event loop delay above which reads are refused, and writes above four times that; 0: never',
  ),
} as const

/** What was a setting, and what to do now. To ignore one would change what the service accepts without a word. */
export const REMOVED_SETTINGS = {
  bodyLimit:
    'leave it out. The limits of request bodies follow from CAMPAIGND_MAX_CAMPAIGN_BYTES: one and a half times that for a creation, ' +
    'that for an append',
} as const

export type Setting = keyof typeof SETTINGS

export type RemovedSetting = keyof typeof REMOVED_SETTINGS

/** The settings as they were given, each as text; and those that are none any more, if they were given. */
export type GivenSettings = Readonly<Record<Setting, string> & Partial<Record<RemovedSetting, string>>>

/** The name of a setting in the environment: `dataDir` is `CAMPAIGND_DATA_DIR`. */
export function variableOf(name: Setting | RemovedSetting): string {
  return `CAMPAIGND_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** The name of a setting on the command line: `dataDir` is `--data-dir`. */
export function flagOf(name: Setting | RemovedSetting): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function setting(value: string, fallback: string | number, about: string) {
  return { value, fallback: String(fallback), about }
}
