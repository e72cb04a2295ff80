#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import closeWithGrace from 'close-with-grace'
import { TokenWatch } from './auth/token-watch.ts'
import { createToken } from './auth/tokens.ts'
import { ConfigError, isLoopback, readCommand, type Config, type ServiceCommand } from './config.ts'
import { TimestampWriter } from './domain/timestamp-writer.ts'
import { buildApp, type App } from './http/app.ts'
import { LeaseKeeper } from './leases/lease-keeper.ts'
import { openLog } from './runtime/log.ts'
import { Metrics } from './metrics/metrics.ts'
import type { CampaignStore } from './repository/campaign-store.ts'
import { openFileStore } from './repository/file/open-file-store.ts'
import { keepTickShape } from './runtime/tick-shape.ts'

/** The whole service: settings, store, server, and an orderly end. */

/** Milliseconds after which a stop no longer waits for clients, and after which it no longer waits at all. */
const PATIENCE_WITH_CLIENTS = 3000
const PATIENCE = 4800
/** Milliseconds for the last answers to leave once the store is in doubt. */
const LAST_ANSWERS = 200

const errand = errandOrExit()
if (errand.kind === 'create-token') {
  printToken(createToken(errand.name, errand.role))
  process.exit(0)
}
const { config } = errand
const log = openLog(config.logLevel)
const { logger } = log

const timestamps = new TimestampWriter()
const running: { app?: App; leases?: LeaseKeeper; repository?: CampaignStore; inDoubt?: Error } = {}

keepTickShape()

process.on('uncaughtException', (error) => {
  logger.fatal({ err: error }, 'uncaught: the service ends')
  void log.leave(1)
})

closeWithGrace(
  {
    delay: PATIENCE,
    logger: false,
    onSecondSignal: (signal) => {
      logger.warn(`${signal} again: the service ends at once`)
      log.abandon()
    },
    onTimeout: () => {
      logger.error(`what is in flight took longer than ${PATIENCE} ms: the service ends`)
      log.abandon()
    },
    // With tokens SIGHUP has another meaning.
    skip: [
      'uncaughtException',
      'unhandledRejection',
      'beforeExit',
      ...(config.tokens === null ? [] : ['SIGHUP' as const]),
    ],
  },
  async (cause) => {
    try {
      await stop(cause)
    } catch (error) {
      logger.fatal({ err: error }, 'the stop failed: the service ends')
      await log.leave(1)
    }
  },
)

try {
  await start()
} catch (error) {
  logger.fatal(`cannot start: ${(error as Error).message}`)
  await running.repository?.close()
  await log.leave(1)
}

async function start(): Promise<void> {
  const { host, port, dataDir, durability, limits, allowedHosts, corsOrigins, openMetrics } = config
  const watch = watchTokens(config)
  const metrics = new Metrics()
  metrics.watchProcess()
  const repository = await openFileStore({
    dataDir,
    durability,
    onWait: (holder, seconds) => {
      logger.warn(`the data directory is in use by ${holder}; waiting up to ${seconds} s for it`)
    },
    onNotice: (sentence) => {
      logger.warn(sentence)
    },
    onCorrupt: (campaign_id, reason) => {
      logger.error({ campaign_id, reason }, 'campaign is corrupt: its file is left alone')
    },
    onCommit: (report) => {
      metrics.committed(report)
    },
    onFatal: (reason) => {
      running.inDoubt = reason
      logger.fatal(
        { err: reason },
        'the store is in doubt: the service ends, so that nothing is acknowledged that is not safe',
      )
      setTimeout(() => void log.leave(1), LAST_ANSWERS)
    },
  })
  running.repository = repository
  metrics.watchLock(() => repository.lockAge())
  const leases = await LeaseKeeper.open({
    repository,
    wall: Date.now,
    monotonic: () => performance.now(),
    onExpired: (campaign_id, exp_ids) => {
      metrics.expired(exp_ids.length)
      logger.warn({ campaign_id, exp_ids }, 'leases ran out: given up for lost')
    },
    onError: (campaign_id, error) => {
      logger.error({ campaign_id, err: error }, 'leases that ran out could not be given up: tried again')
    },
  })
  running.leases = leases
  const access = { tokens: () => watch?.current ?? null, allowedHosts, corsOrigins, openMetrics }
  const app = await buildApp({ repository, leases, metrics, logger, limits, access, now })
  running.app = app
  if (durability === 'os') logger.warn('durability is os: what is acknowledged survives a crash, but not a power cut')
  if (watch === null && !isLoopback(host)) {
    logger.warn(
      `ANYBODY MAY DO ANYTHING: there are no tokens, and others can reach ${host}. Whoever does may read, change and delete all campaigns`,
    )
  }
  const url = await app.listen({ host, port })
  leases.start()
  logger.info(
    { url, data_dir: dataDir, durability },
    `campaignd listens on ${url}, store ${dataDir}, durability ${durability}`,
  )
}

function watchTokens({ tokens }: Config): TokenWatch | null {
  if (tokens === null) return null
  const { file } = tokens
  const watch = new TokenWatch({
    ...tokens,
    onChange: (count) => {
      logger.info({ tokens_file: file, count }, 'tokens read again')
    },
    onError: (reason) => {
      logger.error(
        { tokens_file: file, reason },
        'the tokens file cannot be used: the tokens that were known still hold',
      )
    },
  })
  process.on('SIGHUP', () => watch.reload())
  return watch
}

function now(): string {
  return timestamps.write(Date.now())
}

/** New changes are refused, waiting calls end, what is in flight is written and answered, the lock is released. */
async function stop({ signal }: { signal?: string }): Promise<void> {
  logger.info(`${signal ?? 'stop'}: finishing what is in flight`)
  const { app, leases, repository } = running
  const impatience = setTimeout(() => app?.server.closeAllConnections(), PATIENCE_WITH_CLIENTS)
  await app?.close()
  clearTimeout(impatience)
  await leases?.close()
  await repository?.close()
  // Ends non-zero: whoever starts the service again must see that it did not end well.
  if (running.inDoubt !== undefined) await log.leave(1)
  logger.info('stopped')
  await log.leave(0)
}

function printToken({ token, line }: { readonly token: string; readonly line: string }): void {
  process.stdout.write(
    `The token, which is kept nowhere and not shown again:\n\n  ${token}\n\nThe line for the tokens file:\n\n  ${line}\n`,
  )
}

function errandOrExit(): ServiceCommand {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  try {
    return readCommand(process.argv, process.env, version)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`campaignd cannot start:\n${error.faults.map((sentence) => `  ${sentence}.\n`).join('')}`)
    process.exit(2)
  }
}
