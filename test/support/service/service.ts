import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished } from 'vitest'
import type { WholeDraft } from '#campaignd/domain/operations/draft.js'
import { campaignDraft } from '../campaigns/drafts.js'
import { send } from '../http/client.js'
import { temporaryDirectory } from '../temporary-directory.js'
import { kill } from './child-process.js'
import {
  listening,
  MAIN,
  type Service,
  type ServiceOptions,
  type ServiceProcess,
  spawnService,
} from './service-process.js'

export type { Service } from './service-process.js'

/** A service with the campaign `sweep`. */
export interface CampaignService extends Service {
  /** The URL of the campaign. */
  readonly campaign: string
  /** PATCHes an experiment of the campaign. */
  report(expId: string, body: object): ReturnType<typeof send>
}

/** Starts the service and waits until it listens. It ends with the test; its directory too, when it was given none. */
export function startService(options: Partial<ServiceOptions> = {}): Promise<Service> {
  const dataDir = options.dataDir ?? temporaryDirectory()
  return listening(spawnForTest({ ...options, dataDir }), dataDir)
}

/** The same, with a campaign of the experiments 0001, 0002 and so on. */
export async function startCampaign(
  experiments: number,
  options: Partial<ServiceOptions> = {},
  given: Partial<WholeDraft> = {},
): Promise<CampaignService> {
  const service = await startService(options)
  const { status, text } = await send('POST', `${service.url}/v1/campaigns`, campaignDraft(experiments, given))
  expect(status, text).toBe(201)
  const campaign = `${service.url}/v1/campaigns/sweep`
  return { ...service, campaign, report: (id, body) => send('PATCH', `${campaign}/experiments/${id}`, body) }
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

/** Runs the program to its end, with these settings alone. */
export function runMain(args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env['PATH'], ...settings }
  return spawnSync(process.execPath, [MAIN, ...args], { env, encoding: 'utf8', cwd: temporaryDirectory() })
}

/** The messages of the log. */
export function messages({ log }: Service): string[] {
  return log.map(({ msg }) => String(msg))
}

function spawnForTest(options: ServiceOptions): ServiceProcess {
  const child = spawnService(options)
  onTestFinished(() => kill(child))
  return child
}
