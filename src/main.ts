#!/usr/bin/env node
import closeWithGrace from 'close-with-grace'
import { TokenWatch } from './auth/token-watch.ts'
import { createToken } from './auth/tokens.ts'
import { type Config, ConfigError, isLoopback, readCommand, type ServiceCommand } from './config.ts'
import { loadTimeZones } from './domain/time-zone.ts'
import { type App, buildApp } from './http/app.ts'
import { fitConnections } from './runtime/descriptors.ts'
import { letHeapGrow } from './runtime/heap-growth.ts'
import { openLog } from './runtime/log.ts'
import { keepTickShape } from './runtime/tick-shape.ts'
import { VERSION } from './runtime/version.ts'
import { openService } from './service/open-service.ts'
import type { Service } from './service/service.ts'

/** The whole service: settings, store, server, and an orderly stop. */

/** Milliseconds after which a stop no longer waits for clients, and after which it no longer waits at all. */
const CLIENT_TIMEOUT = 3000
const STOP_TIMEOUT = 4800
/** Milliseconds for the last responses to leave once the store is in doubt. */
const LAST_RESPONSES = 200

/** Events that are handled here, not by close-with-grace. */
const UNCAUGHT = ['uncaughtException', 'unhandledRejection', 'beforeExit'] as const

const command = commandOrExit()
if (command.kind === 'create-token') {
  const { token, line } = createToken(command.name, command.role)
  process.stdout.write(`The token, which is not stored:\n\n  ${token}\n\nThe line for the tokens file:\n\n  ${line}\n`)
  process.exit(0)
}
const { config } = command
const log = openLog(config.logLevel)
const { logger } = log

const running: { app?: App; service?: Service; inDoubt?: Error } = {}

keepTickShape()
letHeapGrow()
loadTimeZones()

process.on('uncaughtException', (error) => {
  logger.fatal({ err: error }, 'uncaught: the service ends')
  void log.leave(1)
})

closeWithGrace(
  {
    delay: STOP_TIMEOUT,
    logger: false,
    onSecondSignal: (signal) => {
      logger.warn(`${signal} again: the service ends at once`)
      log.abandon()
    },
    onTimeout: () => {
      logger.error(`what is in flight took longer than ${STOP_TIMEOUT} ms: the service ends`)
      log.abandon()
    },
    // With tokens SIGHUP reloads them.
    skip: [...UNCAUGHT, ...(config.tokens === null ? [] : ['SIGHUP' as const])],
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
  const { message, code } = error as NodeJS.ErrnoException
  const hint = code === 'EADDRINUSE' ? ': choose another port with --port or CAMPAIGND_PORT' : ''
  logger.fatal(`cannot start: ${message}${hint}`)
  await running.service?.close()
  await log.leave(1)
}

async function start(): Promise<void> {
  const { host, port, dataDir, durability, allowedHosts, corsOrigins, openMetrics } = config
  const watch = watchTokens(config)
  const service = await openService({ dataDir, durability, limits: config.limits, logger, onFatal })
  running.service = service
  service.metrics.watchProcess()
  const access = { tokens: () => watch?.current ?? null, allowedHosts, corsOrigins, openMetrics }
  const app = await buildApp({ service, logger, limits: limitsThatFit(config), access })
  running.app = app
  if (durability === 'os') logger.warn('durability is os: what is acknowledged survives a crash, but not a power cut')
  if (watch === null && !isLoopback(host)) {
    logger.warn(
      `ANYBODY MAY DO ANYTHING: there are no tokens, and other machines can reach ${host}: all campaigns can be changed and deleted`,
    )
  }
  const url = await app.listen({ host, port })
  service.leases.start()
  logger.info(
    { url, data_dir: dataDir, durability },
    `campaignd listens on ${url}, store ${dataDir}, durability ${durability}`,
  )
}

/** The limits, with as many connections as there are descriptors for beside the files that are open. */
function limitsThatFit({ limits }: Config): Config['limits'] {
  const { connections, limit } = fitConnections(limits.maxConnections)
  if (connections < limits.maxConnections) {
    logger.warn(
      `CAMPAIGND_MAX_CONNECTIONS is lowered from ${limits.maxConnections} to ${connections}: the process may have ` +
        `${limit} files open (ulimit -n)`,
    )
  }
  return { ...limits, maxConnections: connections }
}

function onFatal(reason: Error): void {
  running.inDoubt = reason
  logger.fatal(
    { err: reason },
    'the store is in doubt: the service ends, so that nothing is acknowledged that is not safe',
  )
  setTimeout(() => void log.leave(1), LAST_RESPONSES)
}

function watchTokens({ tokens }: Config): TokenWatch | null {
  if (tokens === null) return null
  const { file } = tokens
  const watch = new TokenWatch({
    ...tokens,
    onChange: (count) => logger.info({ tokens_file: file, count }, 'tokens read again'),
    onError: (reason) => {
      logger.error({ tokens_file: file, reason }, 'the tokens file cannot be used: the tokens read before stay valid')
    },
  })
  process.on('SIGHUP', () => watch.reload())
  return watch
}

/** Refuses new writes, ends long polls and streams, completes what is in flight, and releases the lock. */
async function stop({ signal }: { signal?: string }): Promise<void> {
  logger.info(`${signal ?? 'stop'}: finishing what is in flight`)
  const { app, service } = running
  const timeout = setTimeout(() => app?.server.closeAllConnections(), CLIENT_TIMEOUT)
  await app?.close()
  clearTimeout(timeout)
  await service?.close()
  // Ends non-zero: a supervisor must see that it did not end well.
  if (running.inDoubt !== undefined) await log.leave(1)
  logger.info('stopped')
  await log.leave(0)
}

function commandOrExit(): ServiceCommand {
  try {
    return readCommand(process.argv, process.env, VERSION)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`campaignd cannot start:\n${error.faults.map((sentence) => `  ${sentence}.\n`).join('')}`)
    process.exit(2)
  }
}
