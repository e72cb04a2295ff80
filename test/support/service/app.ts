import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished } from 'vitest'
import type { App } from '#campaignd/http/app.js'
import type { Service } from '#campaignd/service/service.js'
import { checkReply } from '../http/contract.js'
import { AppPool, type Poolable } from './app-pool.js'
import { type InProcess, type InProcessOptions, startInProcess, type TestClocks } from './in-process.js'

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'HEAD' | 'PUT' | 'OPTIONS'

export interface AppReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The body read as JSON, unchecked. */
  json<T = Record<string, never>>(): T
}

export interface CallOptions {
  readonly body?: unknown
  /** Sent as it is, in place of `body`. */
  readonly rawBody?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The service in this process, on a real data directory. */
export interface TestApp {
  /** The one that was opened first: of no use after a restart. */
  readonly app: App
  readonly service: Service
  readonly dataDir: string
  /** Sets the wall clock, which stands still. */
  readonly setTime: (now: string) => void
  /** Advances the monotonic clock, and sweeps leases every half second of it, as the service does. */
  readonly elapse: (seconds: number) => Promise<void>
  /** Advances the monotonic clock without a sweep, by two seconds at most: more do not count. */
  readonly skip: (seconds: number) => void
  /** Stops the service and starts it again on its directory. */
  readonly restart: () => Promise<void>
  /** Makes the service listen on a free port; resolves with its URL. */
  readonly listen: () => Promise<string>
  /** Makes a call, and checks its reply against the OpenAPI document. */
  readonly call: (method: Method, path: string, options?: CallOptions) => Promise<AppReply>
}

export interface TestAppOptions extends Pick<InProcessOptions, 'limits' | 'access'> {
  readonly dataDir?: string
  /** Lines of the log are written there. */
  readonly log?: { write(line: string): void }
}

/**
 * Opens the service for a test. It is closed with the test, and must leave neither lock nor unfinished writes. With no options it
 * may have served an earlier test of the file: it then has no campaigns and its first time, but keeps its counts.
 */
export async function openApp(options?: TestAppOptions): Promise<TestApp> {
  if (options === undefined) return openDefault()
  const service = await openTestApp(options)
  onTestFinished(() => service.close())
  return service
}

/** For tests that open the service with the same options: one after the other may get the same service. */
export function sharedApp(options: TestAppOptions): () => Promise<TestApp> {
  const pool = new AppPool(() => openTestApp(options))
  return async () => {
    const service = await pool.acquire()
    onTestFinished(() => pool.release(service))
    return service
  }
}

const openDefault = sharedApp({})

interface OpenedApp extends TestApp, Poolable {}

async function openTestApp(options: TestAppOptions): Promise<OpenedApp> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'campaignd-'))
  const clocks: TestClocks = { wall: FIRST_HOUR, monotonic: 0 }
  let run = await start(dataDir, options, clocks)
  let isRestarted = false
  let url: Promise<string> | null = null
  return {
    app: run.app,
    service: run.service,
    dataDir,
    setTime: (time) => {
      clocks.wall = time
    },
    elapse: async (seconds) => {
      for (const end = clocks.monotonic + seconds * 1000; clocks.monotonic < end;) {
        clocks.monotonic = Math.min(end, clocks.monotonic + 500)
        await run.service.leases.sweep()
      }
    },
    skip: (seconds) => {
      clocks.monotonic += seconds * 1000
    },
    restart: async () => {
      isRestarted = true
      url = null
      await run.stop()
      run = await start(dataDir, options, clocks)
    },
    listen: () => (url ??= run.app.listen({ host: '127.0.0.1', port: 0 })),
    call: (method, path, call) => makeCall(run.app, method, path, call),
    reset: async () => {
      clocks.wall = FIRST_HOUR
      run.app.server.closeAllConnections()
      return !isRestarted && run.isOpen() && (await deleteCampaigns(run.app, dataDir))
    },
    close: async () => {
      await run.stop()
      expect(readdirSync(dataDir)).toEqual(['campaigns'])
      expect(readdirSync(join(dataDir, 'campaigns')).filter((name) => name.endsWith('.tmp'))).toEqual([])
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** True when nothing is left of them. */
async function deleteCampaigns(app: App, dataDir: string): Promise<boolean> {
  const directory = join(dataDir, 'campaigns')
  for (const name of readdirSync(directory)) {
    await app.inject({ method: 'DELETE', url: `/v1/campaigns/${name.replace(/\.json$/, '')}?force=true` })
  }
  return readdirSync(directory).length === 0
}

const FIRST_HOUR = '2026-03-01T12:00:00.000Z'

interface Run extends InProcess {
  /** False once the test has closed it. */
  isOpen(): boolean
}

async function start(dataDir: string, { limits, access, log }: TestAppOptions, clocks: TestClocks): Promise<Run> {
  const run = await startInProcess({
    ...{ dataDir, clocks, durability: 'fsync' },
    logger: log === undefined ? pino({ level: 'silent' }) : pino({ level: 'debug' }, log),
    ...(limits === undefined ? {} : { limits }),
    ...(access === undefined ? {} : { access }),
  })
  let isOpen = true
  run.app.addHook('preClose', async () => {
    isOpen = false
  })
  return { ...run, isOpen: () => isOpen }
}

async function makeCall(app: App, method: Method, path: string, call: CallOptions = {}): Promise<AppReply> {
  const payload = call.rawBody ?? (call.body === undefined ? undefined : JSON.stringify(call.body))
  const reply = await app.inject({
    method,
    url: path,
    headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...call.headers },
    ...(payload === undefined ? {} : { payload }),
  })
  checkReply(method, path, reply.statusCode, reply.headers, reply.payload)
  return {
    status: reply.statusCode,
    headers: reply.headers as Record<string, string>,
    text: reply.payload,
    json: <T>() => JSON.parse(reply.payload) as T,
  }
}
