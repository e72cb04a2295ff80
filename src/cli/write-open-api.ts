import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from '../http/app.ts'
import { DEFAULT_LIMITS } from '../http/limits.ts'
import { openService } from '../service/open-service.ts'

/** Writes the OpenAPI document of the routes into the file named by the first argument. */

const dataDir = mkdtempSync(join(tmpdir(), 'campaignd-openapi-'))
const logger = pino({ level: 'silent' })
const service = await openService({
  ...{ dataDir, logger, limits: DEFAULT_LIMITS },
  durability: 'os',
  onFatal: (reason) => {
    throw reason
  },
})
const app = await buildApp({
  ...{ service, logger, limits: DEFAULT_LIMITS },
  access: { tokens: () => null, allowedHosts: [], corsOrigins: [], openMetrics: false },
})
await app.ready()
writeFileSync(process.argv[2] ?? 'openapi/openapi.json', `${JSON.stringify(app.swagger(), null, 2)}\n`)
await app.close()
await service.close()
rmSync(dataDir, { recursive: true })
