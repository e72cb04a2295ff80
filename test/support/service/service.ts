import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.js'
import { listening, type Service, type ServiceOptions, type ServiceProcess, spawnService } from './service-process.js'

export type { Service } from './service-process.js'

/** Starts the service and waits until it listens. It ends with the test; its directory too, when it was given none. */
export function startService(options: Partial<ServiceOptions> = {}): Promise<Service> {
  const dataDir = options.dataDir ?? temporaryDirectory()
  return listening(spawnForTest({ ...options, dataDir }), dataDir)
}

/** Runs the service until it ends by itself: for starts that must fail. */
export async function runService(
  options: ServiceOptions,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawnForTest(options)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

function spawnForTest(options: ServiceOptions): ServiceProcess {
  const child = spawnService(options)
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  })
  return child
}
