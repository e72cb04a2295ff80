import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from '../http/app.ts'
import { DEFAULT_LIMITS } from '../http/limits.ts'
import { LeaseKeeper } from '../leases/lease-keeper.ts'
import { Metrics } from '../metrics/metrics.ts'
import { openFileStore } from '../repository/file/open-file-store.ts'

/** Writes the OpenAPI document of the routes into the file named by the first argument. */

const dataDir = mkdtempSync(join(tmpdir(), 'campaignd-openapi-'))
const ignore = () => undefined
const repository = await openFileStore({
  dataDir,
  durability: 'os',
  onWait: ignore,
  onNotice: ignore,
  onCorrupt: ignore,
  onCommit: ignore,
  onFatal: ignore,
})
const now = () => ''
const leases = await LeaseKeeper.open({
  repository,
  wall: () => 0,
  monotonic: () => 0,
  onExpired: ignore,
  onError: ignore,
})
const app = await buildApp({
  ...{ repository, leases, now, metrics: new Metrics() },
  logger: pino({ level: 'silent' }),
  limits: DEFAULT_LIMITS,
  access: { tokens: () => null, allowedHosts: [], corsOrigins: [], openMetrics: false },
})
await app.ready()
writeFileSync(process.argv[2] ?? 'openapi/openapi.json', `${JSON.stringify(app.swagger(), null, 2)}\n`)
await app.close()
await repository.close()
rmSync(dataDir, { recursive: true })
