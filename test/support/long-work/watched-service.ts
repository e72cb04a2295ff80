import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Service, ServiceOptions, ServiceProcess } from '../service/service-process.js'
import { listening, spawnService } from '../service/service-process.js'

const PROBE = fileURLToPath(new URL('./block-probe.mjs', import.meta.url))

/** For how long the event loop of a service was held, at the longest. */
export interface Block {
  /** Milliseconds without those in which the thread waited for a processor, which other processes had. */
  readonly held: number
  readonly milliseconds: number
  /** Of them on a processor, and for garbage. */
  readonly busy: number
  readonly garbage: number
}

export interface WatchedService extends Service {
  /** The longest block since the last call. */
  longestBlock(): Promise<Block>
}

/** Starts a service whose event loop is watched. @param keep gets the process */
export async function startWatched(
  options: ServiceOptions,
  keep: (child: ServiceProcess) => ServiceProcess = (child) => child,
): Promise<WatchedService> {
  const child = keep(spawnService({ ...options, probe: PROBE }))
  const service = await listening(child, options.dataDir)
  const longestBlock = async () => {
    const reply = once(child, 'message')
    child.send('look')
    const [block] = (await reply) as [Block]
    return block
  }
  await longestBlock()
  return { ...service, longestBlock }
}
