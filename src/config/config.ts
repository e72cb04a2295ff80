import { resolve } from 'node:path'
import type { TokenWatchOptions } from '../auth/token-watch.ts'
import { TokensError } from '../auth/tokens.ts'
import { readTokensFile } from '../auth/tokens-file.ts'
import { MAX_EXPERIMENTS } from '../domain/campaign/campaign-size.ts'
import type { Limits } from '../http/limits.ts'
import { readHost, readHostNames, readOrigins, readPort } from './addresses.ts'
import { ConfigError, Fault } from './config-error.ts'
import {
  DURABILITIES,
  type GivenSettings,
  LOG_LEVELS,
  REMOVED_SETTINGS,
  type RemovedSetting,
  type Setting,
  variableOf,
} from './settings.ts'
import { integer, KIB, MIB, oneOf, readBoolean, readPath, size } from './values.ts'

/** A tokens file, with what it holds at the start. */
type TokensSetting = Pick<TokenWatchOptions, 'file' | 'content'>

/** All settings, checked. Nothing else reads the environment or the command line. */
export interface Config {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly dataDir: string
  readonly durability: (typeof DURABILITIES)[number]
  readonly logLevel: (typeof LOG_LEVELS)[number]
  /** Null: without tokens every caller may do anything. */
  readonly tokens: TokensSetting | null
  /** Host names beside localhost that clients may use. */
  readonly allowedHosts: readonly string[]
  readonly corsOrigins: readonly string[]
  /** Whether /metrics needs no token. */
  readonly openMetrics: boolean
  readonly limits: Limits
}

/** Reads one setting; a fault is kept, so that all of them are reported at once. */
type Check = <T>(setting: Setting, read: (text: string) => T) => T

/** @throws ConfigError with all faults */
export function checkSettings(given: GivenSettings): Config {
  const faults: string[] = []
  const check: Check = <T>(setting: Setting, read: (text: string) => T): T => {
    try {
      return read(given[setting])
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      faults.push(`${variableOf(setting)} ${error.message}`)
      // Never used: a fault ends in the throw below.
      return undefined as T
    }
  }
  for (const [setting, replacement] of Object.entries(REMOVED_SETTINGS) as [RemovedSetting, string][]) {
    if (given[setting] !== undefined) faults.push(`${variableOf(setting)} is no setting any more: ${replacement}`)
  }
  const config = readAll(check, given)
  if (config.limits.headersTimeout > config.limits.requestTimeout) {
    faults.push(`${variableOf('headersTimeout')} must not be more than ${variableOf('requestTimeout')}`)
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return Object.freeze(config)
}

function readAll(check: Check, { tokensFile }: GivenSettings): Config {
  const allowAnonymous = check('allowAnonymous', readBoolean)
  return {
    host: check('host', (host) => readHost(host, allowAnonymous || tokensFile !== '')),
    port: check('port', readPort),
    dataDir: check('dataDir', readPath),
    durability: check('durability', (text) => oneOf(text, DURABILITIES)),
    logLevel: check('logLevel', (text) => oneOf(text, LOG_LEVELS)),
    tokens: check('tokensFile', readTokens),
    allowedHosts: check('allowedHosts', readHostNames),
    corsOrigins: check('corsOrigins', readOrigins),
    openMetrics: check('openMetrics', readBoolean),
    limits: readLimits(check),
  }
}

function readLimits(check: Check): Limits {
  return {
    headersTimeout: check('headersTimeout', integer(1, 300)),
    requestTimeout: check('requestTimeout', integer(1, 3600)),
    keepAliveTimeout: check('keepAliveTimeout', integer(1, 3600)),
    maxConnections: check('maxConnections', integer(1, 1_000_000)),
    maxUnsentBytes: check('maxUnsentBytes', size(KIB, 4096 * MIB)),
    maxWaiting: check('maxWaiting', integer(0, 1_000_000)),
    maxStreams: check('maxStreams', integer(0, 1_000_000)),
    maxStreamsPerAddress: check('maxStreamsPerAddress', integer(0, 1_000_000)),
    rateLimit: check('rateLimit', integer(0, 1_000_000)),
    maxExperiments: check('maxExperiments', integer(1, MAX_EXPERIMENTS)),
    maxCampaignBytes: check('maxCampaignBytes', size(512 * KIB, 256 * MIB)),
    maxLabels: check('maxLabels', integer(0, 10_000)),
    maxLag: check('maxLag', integer(0, 60_000)),
  }
}

/** The tokens of a file, null when no file is named. */
function readTokens(path: string): TokensSetting | null {
  if (path === '') return null
  const file = resolve(path)
  try {
    return { file, content: readTokensFile(file) }
  } catch (error) {
    if (error instanceof TokensError) throw new Fault(`is ${file}: ${error.message}`)
    throw error
  }
}
